# What the run scripts of the suites share; they source it. A suite that lacks a tool says so and ends with 77.
set -euo pipefail
suite=$(cd "$(dirname "${BASH_SOURCE[1]}")" && pwd)
repository=$(cd "$suite/../../.." && pwd)
downloads=$repository/bin/clients/$(basename "$suite") # kept from run to run, and unknown to git
mkdir -p "$downloads"

need() {
	for tool; do
		command -v "$tool" >/dev/null || { echo "skipped: there is no $tool"; exit 77; }
	done
}

# The suites start the program that the variable ILIUM names.
if [ -z "${ILIUM:-}" ]; then
	export ILIUM=$repository/bin/clients/ilium
	(cd "$repository" && go build -o "$ILIUM" .)
fi

# environment makes a Python environment with what requirements.txt lists.
environment() {
	need python3
	[ -x "$downloads/bin/pip" ] || python3 -m venv "$downloads" || { echo "skipped: python3 has no venv"; exit 77; }
	"$downloads/bin/pip" install --quiet --disable-pip-version-check -r "$suite/requirements.txt"
	python=$downloads/bin/python
}
