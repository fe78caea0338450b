package rules

import (
	"os"
	"slices"
	"testing"
)

// TestRepository holds the repository against all rules.
func TestRepository(t *testing.T) {
	repository, err := load(os.DirFS("../.."))
	if err != nil {
		t.Fatal(err)
	}
	if len(repository.dirs) < 10 {
		t.Fatalf("only %d folders with Go files found", len(repository.dirs))
	}
	for name, complaints := range map[string][]string{
		"layers":   checkLayers(repository, layers(), homes()),
		"comments": slices.Concat(checkPackageComments(repository), checkExported(repository)),
		"state":    slices.Concat(checkInit(repository), checkState(repository, allowedState())),
		"size":     checkSize(repository),
		"sleep":    checkSleep(repository),
		"paths":    checkPaths(repository),
	} {
		t.Run(name, func(t *testing.T) {
			for _, c := range complaints {
				t.Error(c)
			}
		})
	}
}

// expect fails unless the complaints are the wanted ones, in any order.
func expect(t *testing.T, complaints []string, want ...string) {
	t.Helper()
	slices.Sort(complaints)
	slices.Sort(want)
	if !slices.Equal(complaints, want) {
		t.Errorf("got\n%q\nwant\n%q", complaints, want)
	}
}
