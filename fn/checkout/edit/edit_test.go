package edit

import (
	"testing"
)

// edits are documents, what is wanted of them, and the bytes that come out.
var edits = []struct{ name, doc, want, out string }{
	{"nothing", "a:   1 # x\n", "a: 1\n", "a:   1 # x\n"},
	{"scalar with comment", "a: x   # why\nb: 2\n", "{a: y, b: 2}", "a: y   # why\nb: 2\n"},
	{"single quotes stay", "a: 'x'\n", "a: it's", "a: 'it''s'\n"},
	{"double quotes stay", "a: \"x\"\n", "a: y", "a: \"y\"\n"},
	{"plain needs quotes", "a: x\n", "a: \"yes\"", "a: \"yes\"\n"},
	{"number becomes string", "a: 1\n", "a: '1'", "a: '1'\n"},
	{"string becomes boolean", "a: \"x\" # c\n", "a: true", "a: true # c\n"},
	{"null is filled", "a:\nb: 1\n", "{a: x, b: 1}", "a: x\nb: 1\n"},
	{"null is filled with a map", "a: # c\nb: 1\n", "{a: {x: 1}, b: 1}", "a: # c\n  x: 1\nb: 1\n"},
	{"key at the end", "a: 1\nb:\n  c: 1\n  # d: 2\ne: 3\n", "{a: 1, b: {c: 1, f: x}, e: 3}", "a: 1\nb:\n  c: 1\n  f: x\n  # d: 2\ne: 3\n"},
	{"key in its place", "a: 1\nc: 3\n", "a: 1\nb: 2\nc: 3\n", "a: 1\nb: 2\nc: 3\n"},
	{"annotations", "metadata:\n  name: a\n  namespace: b\n  finalizers: [x]\n", "{metadata: {annotations: {k: v}, finalizers: [x], name: a, namespace: b}}",
		"metadata:\n  name: a\n  namespace: b\n  annotations:\n    k: v\n  finalizers: [x]\n"},
	{"four columns", "a:\n    b: 1\n", "a:\n  b: 1\n  c:\n    d: 1\n", "a:\n    b: 1\n    c:\n        d: 1\n"},
	{"no final newline", "a: 1\nb: 2", "a: 1\nb: 2\nc: 3\n", "a: 1\nb: 2\nc: 3"},
	{"no final newline, last key removed", "a: 1\nb: 2", "a: 1", "a: 1"},
	{"no final newline after a block scalar", "a: |\n  x", "a: x\nb: 1\n", "a: |-\n  x\nb: 1\n"},
	{"key removed", "a: 1\n\n# about b\nb:\n  x: 1 # y\n  # z\n\nc: 3\n", "{a: 1, c: 3}", "a: 1\n\n  # z\n\nc: 3\n"},
	{"first key keeps the header", "# yaml-language-server: x\na: 1\nb: 2\n", "b: 2", "# yaml-language-server: x\nb: 2\n"},
	{"last key of a map", "a:\n  b: 1\nc: 2\n", "{a: {}, c: 2}", "a: {}\nc: 2\n"},
	{"entry appended", "resources:\n  - a.yaml # x\n  - b.yaml\n", "resources: [a.yaml, b.yaml, c.yaml]", "resources:\n  - a.yaml # x\n  - b.yaml\n  - c.yaml\n"},
	{"entry appended without indentation", "resources:\n- a.yaml\nx: 1\n", "{resources: [a.yaml, b.yaml], x: 1}", "resources:\n- a.yaml\n- b.yaml\nx: 1\n"},
	{"entry with its neighbours' blanks", "r:\n    -   a\n    -   b: 1\n        c: 2\n", "r:\n- a\n- b: 1\n  c: 2\n# a-b\n- d: 3\n  e: 4\n", "r:\n    -   a\n    -   b: 1\n        c: 2\n    # a-b\n    -   d: 3\n        e: 4\n"},
	{"entry with its neighbours' quotes", "r:\n  - \"a\"\n", "r: [a, b]", "r:\n  - \"a\"\n  - \"b\"\n"},
	{"entry inserted first", "r:\n  # about b\n  - b\n", "r: [a, b]", "r:\n  - a\n  # about b\n  - b\n"},
	{"entry removed", "r:\n  - a\n  # about b\n  - b # x\n  # - off\n  - c\n", "r: [a, c]", "r:\n  - a\n  # - off\n  - c\n"},
	{"a commented-out entry stays", "r:\n  # - off\n  - a\n  - b\n", "r: [b]", "r:\n  # - off\n  - b\n"},
	{"all entries removed", "r:\n  - a\nx: 1\n", "{r: [], x: 1}", "r: []\nx: 1\n"},
	{"empty list filled", "r: []\nl:\n- a\n", "{r: [x], l: [a]}", "r:\n- x\nl:\n- a\n"},
	{"map in a list: first key removed", "l:\n- a: 1\n  b: 2\n", "l: [{b: 2}]", "l:\n- b: 2\n"},
	{"map in a list: first key removed, comment", "l:\n- a: 1\n  # b\n  b: 2\n", "l: [{b: 2}]", "l:\n-\n  # b\n  b: 2\n"},
	{"map in a list: key added", "l:\n  - name: a\n    v: 1\n  - name: b\n", "l: [{name: a, v: 2, w: 3}, {name: b}]", "l:\n  - name: a\n    v: 2\n    w: 3\n  - name: b\n"},
	{"map in a list removed", "l:\n  - name: a\n    v: 1\n  - name: b\n", "l: [{name: b}]", "l:\n  - name: b\n"},
	{"list in a list", "l:\n- - a\n  - b\n", "l: [[b, c]]", "l:\n- - b\n  - c\n"},
	{"flow map", "a: {b: 1, c: 2} # x\n", "a: {b: 1, d: z}", "a: {b: 1, d: z} # x\n"},
	{"flow list", "a: [x, y, z]\n", "a: [y, w]", "a: [y, w]\n"},
	{"flow list over lines", "a: [\n  x,\n  y,\n]\n", "a: [x, y, z]", "a: [\n  x,\n  y,\n  z,\n]\n"},
	{"json", "{\n  \"a\": 1,\n  \"b\": {\n    \"c\": \"d\"\n  }\n}\n", "{a: 1, b: {c: e, f: {g: [h]}}, i: ~}",
		"{\n  \"a\": 1,\n  \"b\": {\n    \"c\": \"e\",\n    \"f\": {\"g\": [\"h\"]}\n  },\n  \"i\": null\n}\n"},
	{"json in one line", "{\"a\":1,\"b\":2}", "{b: 2, c: x}", "{\"b\":2, \"c\": \"x\"}"},
	{"crlf", "a: 1\r\nl:\r\n- x\r\n", "{a: 1, l: [x, y], m: {n: 1}}", "a: 1\r\nl:\r\n- x\r\n- y\r\nm:\r\n  n: 1\r\n"},
	{"byte order mark", "\xef\xbb\xbfa: 1\nb: 2\n", "b: 3", "\xef\xbb\xbfb: 3\n"},
	{"emoji", "🚀: 🎉 party # 🎈\nb: 1\n", "{🚀: 🎉 over, b: 1, c: 🔥 x}", "🚀: 🎉 over # 🎈\nb: 1\nc: 🔥 x\n"},
	{"anchor elsewhere", "x: &x {a: 1}\ny: *x\nz: 1\n", "{x: {a: 1}, y: {a: 1}, z: 2}", "x: &x {a: 1}\ny: *x\nz: 2\n"},
	{"alias replaced", "x: &x {a: 1}\ny: *x # c\n", "{x: {a: 1}, y: 2}", "x: &x {a: 1}\ny: 2 # c\n"},
	{"merge overridden", "x: &x {a: 1}\ny:\n  <<: *x\n  b: 2\n", "{x: {a: 1}, y: {a: 3, b: 2}}", "x: &x {a: 1}\ny:\n  <<: *x\n  b: 2\n  a: 3\n"},
	{"doubled key elsewhere", "a: 1\na: 2\nb: 1\n", "{a: 2, b: 3}", "a: 1\na: 2\nb: 3\n"},
	{"literal", "a: |\n  x\n  y\n  z\nb: 1\n", "a: |\n  x\n  w\n  z\nb: 1\n", "a: |\n  x\n  w\n  z\nb: 1\n"},
	{"literal grows", "a: |  # c\n    x\n\n\nb: 1\n", "a: |\n  x\n\n  y\nb: 1\n", "a: |  # c\n    x\n\n    y\n\n\nb: 1\n"},
	{"literal chomped", "a: |\n  x\n", "a: x", "a: |-\n  x\n"},
	{"folded", "a: >-\n  x\n  y\nb: 1\n", "{a: z, b: 1}", "a: |-\n  z\nb: 1\n"},
	{"key after kept newlines", "a: |+\n  x\n\nb: 1\n", "a: |+\n  x\n\nc: 1\nb: 1\n", "a: |+\n  x\n\nc: 1\nb: 1\n"},
	{"plain over lines", "a: x\n  y\n\n  z # c\nb: 1\n", "{a: w, b: 1}", "a: w # c\nb: 1\n"},
	{"map becomes scalar", "a: # c\n  b: 1\n  d: 1\ne: 1\n", "{a: x, e: 1}", "a: x # c\ne: 1\n"},
	{"scalar becomes map", "a: x # c\ne: 1\n", "a:\n  b: 1\n  d: 1\ne: 1\n", "a: # c\n  b: 1\n  d: 1\ne: 1\n"},
	{"scalar becomes literal", "a: x\ne: 1\n", "a: |\n  b\n  c\ne: 1\n", "a: |\n  b\n  c\ne: 1\n"},
	{"comments of new nodes", "a: 1\n", "# ignored\na: 1\n# head\nb: 2 # line\n", "a: 1\n# head\nb: 2 # line\n"},
	{"comment beside a text that changes", "a: 1 # x\nb: 2\r\nc: 3 # y\n", "a: 4 # x; z\nb: 5 # z\nc: 6\n", "a: 4 # x; z\nb: 5 # z\r\nc: 6 # y\n"},
	{"tagged", "a: !!str 5 # c\n", "a: '6'", "a: !!str '6' # c\n"},
	{"markers", "# top\n---\n# head\na: 1 # x\n...\n", "{a: 1, b: 2}", "# top\n---\n# head\na: 1 # x\nb: 2\n...\n"},
}

func TestEdit(t *testing.T) {
	for _, c := range edits {
		t.Run(c.name, func(t *testing.T) {
			got, err := Edit([]byte(c.doc), []byte(c.want))
			if err != nil {
				t.Fatal(err)
			}
			if string(got) != c.out {
				t.Errorf("got\n%s\nwant\n%s", got, c.out)
			}
			again, err := Edit(got, []byte(c.want))
			if err != nil || string(again) != string(got) {
				t.Errorf("a second edit: %v\n%s", err, again)
			}
		})
	}
}
