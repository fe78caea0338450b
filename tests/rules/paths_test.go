package rules

import (
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"
)

// checkPaths complains of paths that the documents name and the repository does not have: targets of
// links, words in backticks that look like a path, and the folders of a listing, which are the first
// words of lines in a block and end in a slash.
func checkPaths(t *tree) []string {
	documents, err := documents(t.files)
	if err != nil {
		return []string{err.Error()}
	}
	var complaints []string
	for _, name := range documents {
		text, err := fs.ReadFile(t.files, name)
		if err != nil {
			return []string{err.Error()}
		}
		block, number := false, 0
		for line := range strings.Lines(string(text)) {
			number++
			if strings.HasPrefix(line, "```") {
				block = !block
				continue
			}
			for _, named := range pathsIn(t.files, path.Dir(name), line, block) {
				if _, err := fs.Stat(t.files, strings.TrimSuffix(named, "/")); err != nil {
					complaints = append(complaints, fmt.Sprintf("%s:%d: %s does not exist", name, number, named))
				}
			}
		}
	}
	return complaints
}

// documents returns the Markdown files at the root and in docs.
func documents(files fs.FS) ([]string, error) {
	root, err := fs.Glob(files, "*.md")
	if err != nil {
		return nil, err
	}
	docs, err := fs.Glob(files, "docs/*.md")
	return append(root, docs...), err
}

// pathsIn returns the paths that a line of a document in folder names, as paths from the root.
func pathsIn(files fs.FS, folder, line string, block bool) []string {
	if block {
		word, _, _ := strings.Cut(strings.TrimSpace(line), " ")
		if regexp.MustCompile(`^[a-z][A-Za-z0-9_./-]*/$`).MatchString(word) {
			return []string{word}
		}
		return nil
	}
	var found []string
	links := regexp.MustCompile(`\]\(([^)#:]+)(#[^)]*)?\)`)
	for _, match := range links.FindAllStringSubmatch(line, -1) {
		found = append(found, path.Join(folder, match[1]))
	}
	words := regexp.MustCompile("`([A-Za-z0-9_./-]+)`")
	for _, match := range words.FindAllStringSubmatch(line, -1) {
		if isPath(files, match[1]) {
			found = append(found, match[1])
		}
	}
	return found
}

// isPath reports whether a word in backticks is meant as a path of the repository.
func isPath(files fs.FS, word string) bool {
	if slices.Contains([]string{".go", ".md", ".g4", ".sh"}, path.Ext(word)) {
		return true
	}
	top, _, deep := strings.Cut(word, "/")
	if !deep || top == "" {
		return false
	}
	_, err := fs.Stat(files, top)
	return err == nil
}
