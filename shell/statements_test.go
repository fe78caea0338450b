package shell

import (
	"io"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"pgregory.net/rapid"
)

// readAll returns all statements, or those before an error.
func readAll(list *statements) (out []string, err error) {
	for {
		statement, err := list.next()
		if err == io.EOF {
			return out, nil
		}
		if err != nil {
			return out, err
		}
		out = append(out, statement)
	}
}

func TestStatements(t *testing.T) {
	check := func(text string, want ...string) {
		t.Helper()
		got, err := readAll(newStatements(iotest.OneByteReader(strings.NewReader(text))))
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("%q: got %q and error %v, want %q", text, got, err, want)
		}
	}
	check("")
	check(" \n\t; ;\r\n;")
	check("a", "a")
	check("a; b;c", "a;", "b;", "c")
	check("a\nb\n;\n\nc;", "a\nb\n;", "c;")

	check("'a;b'; c", "'a;b';", "c")
	check("'it''s; one'; c", "'it''s; one';", "c")
	check(`"a;""b;"; c`, `"a;""b;";`, "c")
	check("$$it's; \"$$; c", "$$it's; \"$$;", "c")
	check("$$$$; c", "$$$$;", "c")
	check("$$a$;$$; c", "$$a$;$$;", "c")
	check("'--'; '/*'; \"//\";", "'--';", "'/*';", `"//";`)

	check("a -- b; c\n; d", "a -- b; c\n;", "d")
	check("a // it's; c\r; d", "a // it's; c\r;", "d")
	check("a /* ; ' \n -- */; d", "a /* ; ' \n -- */;", "d")
	check("a /*/ ; */; d", "a /*/ ; */;", "d")
	check("a /**/; d", "a /**/;", "d")
	check("a - b / c * d; e", "a - b / c * d;", "e")
	check("-- nothing; but comments\n /* ; */ // ;")
	check("/* first */ a; -- last", "/* first */ a;")
	check("-- nothing\n; a", "a")

	const batch = "BEGIN BATCH INSERT 1; INSERT 2; APPLY BATCH;"
	check(batch+"a;"+batch, batch, "a;", batch)
	check("begin/**/unlogged batch a; b; apply\tbatch; c", "begin/**/unlogged batch a; b; apply\tbatch;", "c")
	check("EXPLAIN BEGIN BATCH a; APPLY BATCH; c", "EXPLAIN BEGIN BATCH a; APPLY BATCH;", "c")
	check("beginning; begin_x; xbegin; 'BEGIN'; \"BEGIN\"; --BEGIN\n a;", "beginning;", "begin_x;", "xbegin;", "'BEGIN';", "\"BEGIN\";", "--BEGIN\n a;")
	check("BEGIN 'APPLY'; APPLY; c", "BEGIN 'APPLY'; APPLY;", "c")
	check("BEGIN BATCH a; b", "BEGIN BATCH a; b")

	check("a; 'b; c", "a;", "'b; c") // the parser reports what is not closed
	check("a; /* b; c", "a;")
	check("Ünïcødé 'é;'; b", "Ünïcødé 'é;';", "b")
}

// What is put together from whole statements is cut at the same places.
func TestStatementsProperty(t *testing.T) {
	piece := rapid.SampledFrom([]string{"SELECT", "é", "1", "-", "/", "*", "$", "(", "'a;b'", "''", "'it''s'", `"q;""'"`, "$$;'$$", "$$$$",
		"-- ;'\n", "// ;\"\n", "/* ;' */", "/**/", "BEGIN a; b; APPLY", "begin'APPLY;';apply"})
	statement := rapid.Map(rapid.SliceOfN(piece, 0, 8), func(pieces []string) string { return "x " + strings.Join(pieces, " ") + " ;" })
	rapid.Check(t, func(t *rapid.T) {
		want := rapid.SliceOf(statement).Draw(t, "statements")
		gap := rapid.SampledFrom([]string{"", " ", "\n", ";", " ; "}).Draw(t, "gap")
		got, err := readAll(newStatements(strings.NewReader(strings.Join(want, gap))))
		if err != nil || !slices.Equal(got, want) {
			t.Fatalf("got %q and error %v, want %q", got, err, want)
		}
	})
}

// A statement comes out as soon as its semicolon is typed.
func TestStatementsDoNotReadAhead(t *testing.T) {
	in, typed := io.Pipe()
	defer typed.Close()
	go func() { _, _ = io.WriteString(typed, "a 'b';") }() // the end does not come
	if got, err := newStatements(in).next(); got != "a 'b';" || err != nil {
		t.Errorf("got %q and error %v", got, err)
	}
}

func TestLongStatements(t *testing.T) {
	check := func(text, wantErr string, want ...string) {
		t.Helper()
		list := newStatements(strings.NewReader(text))
		list.limit = 10
		got, err := readAll(list)
		if !slices.Equal(got, want) || wantErr == "" && err != nil || wantErr != "" && (err == nil || err.Error() != wantErr) {
			t.Errorf("%q: got %q and error %v, want %q and error %s", text, got, err, want, wantErr)
		}
	}
	check("123456789;123456789;1234567890", "", "123456789;", "123456789;", "1234567890")
	check("a;1234567890;", "a statement is longer than 10 bytes", "a;")
	check("a; 'b; c; d; e", "a statement is longer than 10 bytes", "a;")
}

func TestInputFails(t *testing.T) {
	got, err := readAll(newStatements(io.MultiReader(strings.NewReader("a; b"), iotest.ErrReader(io.ErrClosedPipe))))
	if err != io.ErrClosedPipe || len(got) != 1 {
		t.Errorf("got %q and error %v, want the error of the input", got, err)
	}
}
