package mail

import (
	"html"
	"strings"
	"unicode"
)

// stripHTML returns the text of an HTML document: markup, comments, scripts and styles removed, entities decoded,
// white space collapsed, and a line for each block. It is a reader for searching, not a parser: any
// input gives some text, in time linear in its length.
func stripHTML(document string) string {
	var out textCollapser
	for rest := document; ; {
		text, tag, found := strings.Cut(rest, "<")
		out.write(html.UnescapeString(text))
		if !found {
			return out.String()
		}
		switch {
		case strings.HasPrefix(tag, "!--"):
			_, rest, _ = strings.Cut(tag, "-->")
		case tag == "" || !isTagStart(tag[0]):
			out.write("<")
			rest = tag
		default:
			name := tagName(tag)
			rest = tag[tagBytes(tag):]
			if name == "script" || name == "style" || name == "title" {
				rest = afterElement(rest, name)
			}
			switch strings.TrimPrefix(name, "/") {
			case "br", "p", "div", "tr", "li", "ul", "ol", "dl", "dt", "dd", "table", "blockquote", "pre", "hr",
				"h1", "h2", "h3", "h4", "h5", "h6", "body", "head", "title":
				out.breakLine()
			case "td", "th", "img", "script", "style":
				out.write(" ")
			}
		}
	}
}

func isTagStart(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || c == '/' || c == '!' || c == '?'
}

// tagName returns the name of the tag that follows "<", in lower case, with "/" in front if it ends an element.
func tagName(tag string) string {
	end := 0
	for end < len(tag) && end < 16 && tag[end] != '>' && tag[end] > ' ' && (end == 0 || tag[end] != '/') {
		end++
	}
	return strings.ToLower(tag[:end])
}

// tagBytes returns the length of a tag after its "<", with the ">". Inside quotes ">" is text.
func tagBytes(tag string) int {
	var quote byte
	for i := range len(tag) {
		c := tag[i]
		switch {
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case c == '>':
			return i + 1
		case (c == '"' || c == '\'') && i > 0 && tag[i-1] == '=':
			quote = c
		}
	}
	return len(tag)
}

// afterElement returns what follows the end tag of an element whose content is not text.
func afterElement(rest, name string) string {
	for {
		_, after, found := strings.Cut(rest, "</")
		if !found {
			return ""
		}
		if len(after) >= len(name) && strings.EqualFold(after[:len(name)], name) {
			return after[tagBytes(after):]
		}
		rest = after
	}
}

// textCollapser joins text with one space or one line end where there was white space.
type textCollapser struct {
	strings.Builder
	space, line bool // owed before the next visible character
}

func (c *textCollapser) write(text string) {
	for _, r := range text {
		if unicode.IsSpace(r) {
			c.space = true
			continue
		}
		switch {
		case c.Len() == 0:
		case c.line:
			c.WriteByte('\n')
		case c.space:
			c.WriteByte(' ')
		}
		c.space, c.line = false, false
		c.WriteRune(r)
	}
}

func (c *textCollapser) breakLine() { c.line = true }
