#!/bin/sh
# Generates the lexer and the parser in gen/ from CqlLexer.g4 and CqlParser.g4, and records the
# checksums of both sides in gen/SUMS, by which a test tells whether gen/ is current.
#
# Needs Java 11 or later, Maven (to fetch the ANTLR tool through its configured repositories) and
# Go. Running it again gives the same bytes.
set -eu

version=4.13.2
checksum=eae2dfa119a64327444672aff63e9ec35a20180dc5b8090b7a6ab85125df4d76

cd "$(dirname "$0")"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

mvn --batch-mode --quiet -Dstyle.color=never dependency:copy \
	-Dartifact=org.antlr:antlr4:$version:jar:complete -DoutputDirectory="$work"
tool="$work/antlr4-$version-complete.jar"
echo "$checksum  $tool" | sha256sum --check --quiet -

# Relative paths keep the name of this folder out of the headers of the generated files.
java -jar "$tool" -Dlanguage=Go -Werror -no-listener -no-visitor -package gen -o gen \
	CqlLexer.g4 CqlParser.g4
rm -f gen/*.interp gen/*.tokens

# Every rule ends in an unreachable goto, there only to use a label, which go vet reports. Drop the
# goto, and the label too where nothing else uses it.
awk '
	/^func / { label = ""; used = 0 }
	/^\tgoto errorExit \/\/ Trick/ { if (!used) lines[label] = ""; next }
	/goto errorExit/ { used = 1 }
	/^errorExit:/ { label = NR }
	{ lines[NR] = $0 "\n"; last = NR }
	END { for (i = 1; i <= last; i++) printf "%s", lines[i] }
' gen/cql_parser.go >"$work/cql_parser.go"
cp "$work/cql_parser.go" gen/cql_parser.go
gofmt -w gen/cql_lexer.go gen/cql_parser.go
LC_ALL=C sha256sum CqlLexer.g4 CqlParser.g4 gen/cql_lexer.go gen/cql_parser.go >gen/SUMS
