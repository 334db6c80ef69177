package limit

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
)

// laughs is the billion laughs attack: each of the levels is a list of nine of the one before.
func laughs(levels int) string {
	var text strings.Builder
	text.WriteString("l0: &l0 [ha, ha, ha, ha, ha, ha, ha, ha, ha]\n")
	for i := 1; i <= levels; i++ {
		name := string(rune('a' + i))
		before := "*l0"
		if i > 1 {
			before = "*" + string(rune('a'+i-1))
		}
		text.WriteString(name + ": &" + name + " [" + strings.TrimSuffix(strings.Repeat(before+", ", 9), ", ") + "]\n")
	}
	return text.String()
}

func TestCheck(t *testing.T) {
	deep := func(open, end string, levels int) string {
		return "a: " + strings.Repeat(open, levels) + strings.Repeat(end, levels) + "\n"
	}
	block := func(step string, levels int) string {
		var text strings.Builder
		for i := range levels {
			text.WriteString(strings.Repeat(step, i) + "a:\n")
		}
		return text.String()
	}
	for name, c := range map[string]struct {
		text string
		want error
	}{
		"nothing":                         {"", nil},
		"anchors and merge keys":          {"a: &a {x: 1}\nb: {<<: *a}\nc: [*a, *a]\n", nil},
		"a script with stars and &":       {"a: |\n  ls * && [ -f x ]\n", nil},
		"brackets in text":                {"a: |\n  " + strings.Repeat("[", 600) + "\n", nil},
		"a long list":                     {strings.Repeat("- a\n", 200_000), nil},
		"five levels of laughs":           {laughs(5), ErrAliased},
		"two levels of laughs":            {laughs(2), nil},
		"a billion laughs":                {laughs(9), ErrAliased},
		"laughs in the second document":   {"a: 1\n---\n" + laughs(9), ErrAliased},
		"an anchor in itself":             {"a: &a [*a]\n", ErrCycle},
		"an anchor on a line of its own":  {"a: &a\n  b: *a\n", ErrCycle},
		"an anchor before a tag":          {"a: &a !!map {b: *a}\n", ErrCycle},
		"an anchor before a comment":      {"a: &a # it\n  b: *a\n", ErrCycle},
		"anchors of scalars":              {"a: &a b\nc: {d: &d 'e', f: [*a, *d]}\n", nil},
		"a long scalar for many":          {"a: &a " + strings.Repeat("b", 1<<20) + "\nc:\n" + strings.Repeat("- *a\n", 11), ErrText},
		"a long scalar for some":          {"a: &a " + strings.Repeat("b", 1<<20) + "\nc:\n" + strings.Repeat("- *a\n", 10), nil},
		"a scalar for very many":          {"a: &a b\nc:\n" + strings.Repeat("- *a\n", Aliased+1), ErrAliased},
		"400 levels":                      {deep("[", "]", 400), nil},
		"10,000 levels of flow":           {deep("[", "]", 9_999), ErrDepth},
		"2,000 levels of JSON":            {strings.Repeat(`{"a":`, 2000) + "1" + strings.Repeat("}", 2000), ErrDepth},
		"1,000 levels of block":           {block(" ", 1000), ErrDepth},
		"1,000 levels of lists on a line": {strings.Repeat("- ", 1000) + "a\n", ErrDepth},
		"deep by an alias":                {"a: &a " + strings.Repeat("[", 300) + strings.Repeat("]", 300) + "\nb: " + strings.Repeat("[", 300) + "*a" + strings.Repeat("]", 300) + "\n", ErrDepth},
		"10,000 documents":                {"a: 1\n" + strings.Repeat("---\na: 1\n", Documents-1), nil},
		"10,001 documents":                {"a: 1\n" + strings.Repeat("---\na: 1\n", Documents), ErrDocuments},
		"500,000 lines":                   {strings.Repeat("- a\n", Values/2), nil},
		"500,001 entries":                 {"[" + strings.Repeat("a,", Values) + "]", ErrValues},
		"500,001 lists in lists":          {strings.Repeat("- - - - a\n", Values/5+1), ErrValues},
		"a large file":                    {strings.Repeat("a", Size+1), ErrSize},
		"an anchor right behind a key":    {"a: {\"b\":&a [*a]}\n", ErrCycle},
		"an anchor behind a line break":   {"a: [\u2028&a [*a]]\n", ErrCycle},
		"globs and shell":                 {strings.Repeat("a: x && y *.z\n", 10) + deep("[", "]", 400), nil},
		"no YAML":                         {"a: [*b, &c\n", nil},
	} {
		t.Run(name, func(t *testing.T) {
			if err := Check([]byte(c.text)); !errors.Is(err, c.want) || err != nil && !Is(err) {
				t.Errorf("got %v, want %v", err, c.want)
			}
		})
	}
}

// TestIsShallow holds that runs of steps are found wherever they lie, and that the bound of all lines is what tells
// then.
func TestIsShallow(t *testing.T) {
	for before := range 3 * Depth {
		for _, run := range []int{Depth / 2, Depth - 1, Depth, Depth + 1, Depth + 2} {
			text := []byte(strings.Repeat("x", before) + "\n" + strings.Repeat(" ", run) + "a:\n")
			if want := depthBound(text) <= Depth; isShallow(text) != want {
				t.Fatalf("%d steps behind %d bytes: want %v", run, before, want)
			}
		}
	}
}

func TestCheckNested(t *testing.T) {
	block := "patches:\n- patch: |\n    " + strings.ReplaceAll(laughs(9), "\n", "\n    ") + "\n"
	quoted, _ := json.Marshal(map[string]string{"patch": laughs(9)})
	steps := ""
	for level := range 600 {
		steps += strings.Repeat(" ", level) + "a:\n"
	}
	deep, _ := json.Marshal(map[string]string{"patch": steps})
	for name, c := range map[string]struct {
		text string
		want error
	}{
		"in block style":     {block, ErrAliased},
		"in JSON":            {string(quoted), ErrAliased},
		"escaped":            {`patch: "a: \x26a [\x2aa]"`, ErrCycle},
		"right behind quote": {"patch: '&a [*a]'", ErrCycle},
		"deep in JSON":       {string(deep), ErrDepth},
		"harmless":           {"patches:\n- patch: |\n    a: &a [x]\n    b: *a\n", nil},
	} {
		if err := CheckNested([]byte(c.text)); !errors.Is(err, c.want) {
			t.Errorf("%s: got %v, want %v", name, err, c.want)
		}
	}
}

// FuzzCheck holds that measuring ends, whatever the text, and that a text which is let through unmeasured measures
// well.
func FuzzCheck(f *testing.F) {
	for _, text := range []string{"a: &a [*a]\n", laughs(3), "a: [[[{b: *c}]]]\n---\n- - - x\n", "- &a b: *a\n- &c 'd'\n- &e\n  - *c\n"} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		CheckNested(text)
		if err := Check(text); err == nil && len(text) <= Size {
			if isShallow(text) != (depthBound(text) <= Depth) {
				t.Errorf("shallow: %v, and at most %d deep", isShallow(text), depthBound(text))
			}
			if measured := measured(text); measured != nil {
				t.Errorf("let through, and %v", measured)
			}
		}
	})
}
