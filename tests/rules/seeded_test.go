package rules

import (
	"fmt"
	"strings"
	"testing"
	"testing/fstest"
)

// seed makes a tree of small files, to break a rule with.
func seed(t *testing.T, files map[string]string) *tree {
	t.Helper()
	system := fstest.MapFS{}
	for name, text := range files {
		system[name] = &fstest.MapFile{Data: []byte(text)}
	}
	s, err := load(system)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestLayers(t *testing.T) {
	table := [][]string{{"."}, {"top"}, {"left", "right"}, {"low"}}
	homes := map[string][]string{"example.org/disk": {"low"}}
	s := seed(t, map[string]string{
		"main.go":       "package main\nimport _ \"" + module + "/top\"\nimport _ \"" + module + "/low\"",
		"top/a.go":      "package top\nimport _ \"fmt\"\nimport _ \"example.org/disk/v2\"",
		"left/a.go":     "package left\nimport _ \"" + module + "/right\"",
		"low/a.go":      "package low\nimport _ \"example.org/disk\"",
		"low/a_test.go": "package low_test\nimport _ \"" + module + "/low\"\nimport _ \"" + module + "/top\"",
		"new/a.go":      "package new",
		"testdata/a.go": "not Go",
	})
	expect(t, checkLayers(s, table, homes),
		"top/a.go:3: example.org/disk/v2 is for low only",
		"left/a.go:2: left must not import right, which is not in a row below it",
		"low/a_test.go:3: low must not import top, which is not in a row below it",
		"new: the package is not in the table of layers",
		"right: the table of layers names a package that does not exist",
	)
}

func TestPackageComments(t *testing.T) {
	s := seed(t, map[string]string{
		"main.go":       "// Command x does nothing.\npackage main",
		"good/a.go":     "package good",
		"good/b.go":     "// Package good is documented in one of its files.\npackage good",
		"bare/a.go":     "package bare",
		"other/a.go":    "// This is about something else.\npackage other",
		"detached/a.go": "// Package detached has lost its comment.\n\npackage detached",
	})
	expect(t, checkPackageComments(s),
		"bare: the package has no comment that begins with its name",
		"other: the package has no comment that begins with its name",
		"detached/a.go:1: an empty line detaches the package comment",
	)
}

func TestExported(t *testing.T) {
	s := seed(t, map[string]string{"a.go": `package a

func Bare()  {}
func small() {}

// Documented is.
func Documented() {}

type T struct{}

// U is documented.
type U[E any] struct{}

func (*T) Method()      {}
func (U[E]) Generic()   {}
func (T) String() string { return "" }
func (small_) Hidden()  {}

type (
	// V is documented.
	V int
	W int
)

// All of the group.
const (
	A = iota
	B
)

const (
	C = iota // C is documented
	D
)

var E, f = 1, 2
`, "a_test.go": "package a\nfunc TestX() {}"})
	expect(t, checkExported(s),
		"a.go:3: Bare has no comment",
		"a.go:9: T has no comment",
		"a.go:14: Method has no comment",
		"a.go:15: Generic has no comment",
		"a.go:22: W has no comment",
		"a.go:33: D has no comment",
		"a.go:36: E has no comment",
	)
}

func TestInit(t *testing.T) {
	s := seed(t, map[string]string{"a.go": "package a\nfunc init() {}\ntype t int\nfunc (t) init() {}"})
	expect(t, checkInit(s), "a.go:2: init function")
}

func TestState(t *testing.T) {
	s := seed(t, map[string]string{
		"a/a.go": `package a

import (
	"errors"
	"regexp"
	"sync"
)

var (
	ErrFine = errors.New("fine")
	pattern = regexp.MustCompile("fine")
	table   = map[string]int{"fine": 1}
	_       = ErrFine
	//go:embed a.go
	embedded []byte
)

var counter int
var pool = sync.Pool{New: func() any { return nil }}
var shared = newGuarded()
var events = make(chan int)
var other = &guarded{}
var known sync.Mutex

var (
	assigned, indexed, deleted, field, pointed, ranged, stepped = 1, []int{1}, map[int]int{}, struct{ x int }{}, 1, 1, 1
)

type guarded struct{ mu sync.Mutex }

func newGuarded() *guarded { return new(guarded) }

func change() {
	table := map[string]int{}
	table["a local variable"] = 2
	assigned = 2
	indexed[0]++
	delete(deleted, 1)
	field.x = 2
	_ = &pointed
	for ranged = range 3 {
	}
	known.Lock()
}
`,
		"a/b.go": "package a\nfunc inAnotherFile() { stepped++ }",
		"b/b.go": "package b\nimport \"" + module + "/a\"\nfunc change() { a.ErrFine = nil }",
	})
	const variable = "package-level variable "
	expect(t, checkState(s, map[string]string{"a.known": "is tested", "a.table": "never changes"}),
		"a/a.go:18: "+variable+"counter has no value, so it must be written to",
		"a/a.go:19: "+variable+"pool holds a lock, an atomic or a channel",
		"a/a.go:20: "+variable+"shared holds a lock, an atomic or a channel",
		"a/a.go:21: "+variable+"events holds a lock, an atomic or a channel",
		"a/a.go:22: "+variable+"other holds a lock, an atomic or a channel",
		"a/a.go:36: "+variable+"assigned is written to",
		"a/a.go:37: "+variable+"indexed is written to",
		"a/a.go:38: "+variable+"deleted is written to",
		"a/a.go:39: "+variable+"field is written to",
		"a/a.go:40: "+variable+"pointed is written to",
		"a/a.go:41: "+variable+"ranged is written to",
		"a/b.go:2: "+variable+"stepped is written to",
		"b/b.go:3: "+variable+"ErrFine of package a is written to",
		"a.table: is allowed to change, but does not",
	)
}

func TestSize(t *testing.T) {
	body := strings.Repeat("\n", maxFunctionLines-2)
	s := seed(t, map[string]string{
		"a.go": "package a\nfunc fits() {" + body + "\n}\nfunc long() {" + body + "\n\n}",
		"b.go": "package a" + strings.Repeat("\n", maxFileLines+1),
		"c.go": "// Code generated by hand. DO NOT EDIT.\npackage a" + strings.Repeat("\n", maxFileLines+1),
	})
	expect(t, checkSize(s),
		fmt.Sprintf("a.go:%d: long has %d lines, at most %d", maxFunctionLines+2, maxFunctionLines+1, maxFunctionLines),
		fmt.Sprintf("b.go: %d lines, at most %d", maxFileLines+1, maxFileLines),
	)
}

func TestSleep(t *testing.T) {
	const text = "package a\nimport \"time\"\nfunc wait() { time.Sleep(1) }"
	s := seed(t, map[string]string{"a.go": text, "a_test.go": text})
	expect(t, checkSleep(s), "a_test.go:3: a test sleeps")
}

func TestPaths(t *testing.T) {
	s := seed(t, map[string]string{
		"store/a.go": "package store",
		"docs/A.md":  "[up](../README.md) [down](B.md#there) [far](https://example.org/x.md)\n",
		"README.md": "`store/a.go` `store/` `store/b.go` `ring.go` `store.Open` `and/or` `/etc/passwd`\n" +
			"[docs](docs/A.md) [lost](docs/C.md)\n" +
			"```\nstore/   rows\nring/    tokens\ncp store/x ring/y\n/ picture \\__/\n```\n",
	})
	expect(t, checkPaths(s),
		"docs/A.md:1: docs/B.md does not exist",
		"README.md:1: store/b.go does not exist",
		"README.md:1: ring.go does not exist",
		"README.md:2: docs/C.md does not exist",
		"README.md:5: ring/ does not exist",
	)
}
