package krm

import (
	"bytes"
	"strings"
	"testing"
)

// lists are ways to lay a ResourceList out that can be cut, by what is special about them.
var lists = map[string]string{
	"as kpt writes it":        list,
	"config before the items": "apiVersion: config.kubernetes.io/v1\nkind: ResourceList\nfunctionConfig:\n  kind: X\nitems:\n- kind: A\n",
	"indented":                "kind: ResourceList\nitems:\n  - kind: A\n    spec: x\n\n  # above\n  - kind: B\nresults: []\n",
	"comments":                "# first\nkind: ResourceList\nitems: \n# of A\n- kind: A # why\n\n# of B,\n# again\n- # below the dash\n  kind: B\n# last\n",
	"a dash in a text":        "kind: ResourceList\nitems:\n- kind: A\n  spec: |\n    items:\n    - x\n",
}

func TestCut(t *testing.T) {
	for name, raw := range lists {
		l, ok := cut([]byte(raw))
		if !ok {
			t.Errorf("%s: not cut", name)
			continue
		}
		if want := strings.Count(raw, "- kind:") + strings.Count(raw, "- apiVersion:") + strings.Count(raw, "- #"); len(l.items) != want {
			t.Errorf("%s: want %d items, have %d", name, want, len(l.items))
		}
		for i, item := range l.items {
			if i > 0 && item.start != l.items[i-1].end {
				t.Errorf("%s: item %d does not touch the one before", name, i)
			}
			if raw[item.dash] != '-' || raw[item.end-1] != '\n' {
				t.Errorf("%s: item %d is %q", name, i, raw[item.start:item.end])
			}
		}
		c := &cutItems{rawList: l, texts: map[int][]byte{}}
		if !c.scan() {
			t.Errorf("%s: cut, but not read", name)
		}
		head, tail, _ := bytes.Cut(l.rest, emptyItems)
		if have := string(bytes.Join(c.parts(head, tail), nil)); have != strings.Replace(raw, "items: \n", "items:\n", 1) {
			t.Errorf("%s: put together it is\n%s", name, have)
		}
	}
}

// TestNotCut lists what is left to the framework.
func TestNotCut(t *testing.T) {
	for name, raw := range map[string]string{
		"nothing":                 "",
		"no items":                "kind: ResourceList\nitems: []\n",
		"JSON":                    `{"kind": "ResourceList", "items": [{"kind": "A"}]}` + "\n",
		"flow style":              "kind: ResourceList\nitems: [{kind: A}]\n",
		"carriage returns":        "kind: ResourceList\r\nitems:\r\n- kind: A\r\n",
		"byte order mark":         "\ufeffkind: ResourceList\nitems:\n- kind: A\n",
		"several documents":       "kind: ResourceList\nitems:\n- kind: A\n---\nkind: B\n",
		"document start":          "---\nkind: ResourceList\nitems:\n- kind: A\n",
		"cut off in a line":       "kind: ResourceList\nitems:\n- kind: A\n  spe",
		"items twice":             "kind: ResourceList\nitems:\n- kind: A\nitems:\n- kind: B\n",
		"items in a text":         "kind: ResourceList\nfunctionConfig: {}\nnote: \"a\nitems:\n- kind: A\nb: c\"\n",
		"items of another indent": "kind: ResourceList\nitems:\n  - kind: A\n - kind: B\n",
		"a mapping":               "kind: ResourceList\nitems:\n  kind: A\n",
		"anchored items":          "kind: ResourceList\nitems: &x\n- kind: A\n",
	} {
		if l, ok := cut([]byte(raw)); ok {
			t.Errorf("%s: cut into %d items", name, len(l.items))
		}
	}
}

// TestFormats proves that annotations which the framework would change, or refuse, are left to it.
func TestFormats(t *testing.T) {
	const item = "- kind: A\n  metadata:\n    annotations:\n"
	note := func(key, value string) string { return "      " + key + ": '" + value + "'\n" }
	current, legacy := "internal.config.kubernetes.io/path", "config.kubernetes.io/path"
	for name, c := range map[string]struct {
		items string
		want  bool
	}{
		"both":                {item + note(current, "a") + note(legacy, "a"), true},
		"current":             {item + note(current, "a") + item + note(current, "b"), true},
		"some without":        {item + note(current, "a") + "- kind: B\n", true},
		"both, and unlike":    {item + note(current, "a") + note(legacy, "b"), false},
		"first one, then two": {item + note(current, "a") + item + note(current, "b") + note(legacy, "b"), false},
		"one has no legacy":   {item + note(current, "a") + note(legacy, "a") + note("internal.config.kubernetes.io/index", "0"), false},
		"the framework's own": {item + note("internal.config.kubernetes.io/annotations-migration-resource-id", "0"), false},
		"empty, in a flow":    {"- kind: A\n  metadata: {annotations: {" + current + ": ''}}\n", false},
	} {
		l, ok := cut([]byte("kind: ResourceList\nitems:\n" + c.items))
		if !ok {
			t.Fatalf("%s: not cut", name)
		}
		if read := (&cutItems{rawList: l}).scan(); read != c.want {
			t.Errorf("%s: read: %v", name, read)
		}
	}
}

// TestBroken proves that a list which is cut off, or has a broken item, is refused with one error and nothing written.
func TestBroken(t *testing.T) {
	for name, raw := range map[string]string{
		"half a list":              list[:len(list)/2],
		"cut off in a quote":       "apiVersion: config.kubernetes.io/v1\nkind: ResourceList\nitems:\n- kind: A\n  spec: \"x\n",
		"cut off in an item":       "apiVersion: config.kubernetes.io/v1\nkind: ResourceList\nitems:\n- kind: A\n  spe",
		"a key below nothing":      "apiVersion: config.kubernetes.io/v1\nkind: ResourceList\nitems:\n- kind: A\n  spec:\n      a: b\n    c: d\n",
		"an item that is a scalar": "apiVersion: config.kubernetes.io/v1\nkind: ResourceList\nitems:\n- kind: A\n- text\n",
		"nothing":                  "",
	} {
		var out bytes.Buffer
		if err := Run(strings.NewReader(raw), &out); err == nil || out.Len() > 0 {
			t.Errorf("%s: error %v, and %d bytes are written", name, err, out.Len())
		}
	}
}
