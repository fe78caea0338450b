package grammar_test

import (
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestGenerated fails if gen/ does not belong to the grammars beside it. It needs no Java.
func TestGenerated(t *testing.T) {
	const remedy = "run grammar/generate.sh"
	sums, err := os.ReadFile("gen/SUMS")
	if err != nil {
		t.Fatalf("%v: %s", err, remedy)
	}
	summed := make(map[string]bool)
	for line := range strings.Lines(string(sums)) {
		want, file, ok := strings.Cut(strings.TrimSpace(line), "  ")
		if !ok {
			t.Fatalf("gen/SUMS has the line %q", line)
		}
		summed[file] = true
		data, err := os.ReadFile(file)
		if err != nil {
			t.Errorf("%v: %s", err, remedy)
			continue
		}
		if got := fmt.Sprintf("%x", sha256.Sum256(data)); got != want {
			t.Errorf("grammar/%s is not the file that grammar/gen was generated with: %s", file, remedy)
		}
	}
	grammars, _ := filepath.Glob("*.g4")
	generated, _ := filepath.Glob("gen/*.go")
	files := append(grammars, generated...)
	if len(files) != 5 {
		t.Errorf("found %v, want two grammars and three Go files", files)
	}
	for _, file := range files {
		if file != "gen/doc.go" && !summed[file] {
			t.Errorf("grammar/%s is not in gen/SUMS: %s", file, remedy)
		}
	}
}
