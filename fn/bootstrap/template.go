package bootstrap

import (
	"bytes"
	"fmt"
	"regexp"
	"strconv"
)

// action is a part of a template between its braces.
var action = regexp.MustCompile(`(?s)\{\{.*?\}\}`)

// mask is a template whose actions are replaced by text that YAML can hold, so that the rest can be edited as YAML: a
// comment where an action has its lines for itself, a plain word elsewhere.
type mask struct {
	actions []string
	// comments tells which actions a comment stands for.
	comments map[int]bool
}

// token is what stands for an action.
var token = regexp.MustCompile(`#?__template_(\d+)__`)

// masked hides the actions of a text.
func masked(text []byte) ([]byte, mask) {
	m := mask{comments: map[int]bool{}}
	var out bytes.Buffer
	last := 0
	for _, at := range action.FindAllIndex(text, -1) {
		start, end := at[0], at[1]
		before, after := text[:start], text[end:]
		line := before[bytes.LastIndexByte(before, '\n')+1:]
		rest, _, _ := bytes.Cut(after, []byte("\n"))
		stands := fmt.Sprintf("__template_%d__", len(m.actions))
		if len(bytes.TrimSpace(line)) == 0 && len(bytes.TrimSpace(rest)) == 0 {
			stands, m.comments[len(m.actions)] = "#"+stands, true
		}
		m.actions = append(m.actions, string(text[start:end]))
		out.Write(text[last:start])
		out.WriteString(stands)
		last = end
	}
	out.Write(text[last:])
	return out.Bytes(), m
}

// restored puts the actions back.
func (m mask) restored(text []byte) []byte {
	return token.ReplaceAllFunc(text, func(found []byte) []byte {
		n, err := strconv.Atoi(string(token.FindSubmatch(found)[1]))
		if err != nil || n >= len(m.actions) {
			return found
		}
		if found[0] == '#' && !m.comments[n] {
			return []byte("#" + m.actions[n])
		}
		return []byte(m.actions[n])
	})
}

// isTemplated reports whether a value has an action in it.
func isTemplated(value string) bool { return token.MatchString(value) }

// opens and closes are the actions that begin and end a block.
var (
	opens  = regexp.MustCompile(`^\{\{-?\s*(if|range|with|define|block)\b`)
	closes = regexp.MustCompile(`^\{\{-?\s*end\b`)
)

// depth is how many blocks of a template are open at an offset.
func depth(text []byte, offset int) int {
	n := 0
	for _, found := range action.FindAll(text[:offset], -1) {
		switch {
		case opens.Match(found):
			n++
		case closes.Match(found):
			n--
		}
	}
	return n
}
