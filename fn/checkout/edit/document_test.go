package edit

import (
	"strings"
	"testing"
)

func TestRemoveDocument(t *testing.T) {
	for _, c := range []struct {
		name, file string
		index      int
		out        string
		empty      bool
	}{
		{"first with markers", "---\na: 1\n---\nb: 2\n", 0, "---\nb: 2\n", false},
		{"first without marker", "a: 1\n---\nb: 2\n", 0, "b: 2\n", false},
		{"first without marker, comment on the next one", "a: 1\n--- # b\nb: 2\n", 0, "--- # b\nb: 2\n", false},
		{"middle", "a: 1\n---\n# b\nb: 2\n---\nc: 3\n", 1, "a: 1\n---\nc: 3\n", false},
		{"last", "a: 1\n---\nb: 2", 1, "a: 1\n", false},
		{"only one", "---\na: 1\n", 0, "", true},
		{"licence stays, modeline goes", "# Licence\n# yaml-language-server: x\n---\na: 1\n---\nb: 2\n", 0, "# Licence\n---\nb: 2\n", false},
		{"comment-only documents stay", "---\n# only\n---\na: 1\n---\nb: 2\n", 0, "---\n# only\n---\nb: 2\n", false},
		{"end marker", "a: 1\n...\n---\nb: 2\n...\n", 1, "a: 1\n...\n", false},
		{"crlf", "---\r\na: 1\r\n---\r\nb: 2\r\n", 1, "---\r\na: 1\r\n", false},
		{"byte order mark", "\xef\xbb\xbf---\na: 1\n---\nb: 2\n", 0, "\xef\xbb\xbf---\nb: 2\n", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			out, empty, err := RemoveDocument([]byte(c.file), c.index)
			if err != nil || string(out) != c.out || empty != c.empty {
				t.Errorf("got %q, %v, %v; want %q, %v", out, empty, err, c.out, c.empty)
			}
		})
	}
	if _, _, err := RemoveDocument([]byte("a: 1\n---\n# no\n"), 1); err == nil {
		t.Error("a document that is not there was removed")
	}
}

// ugly has everything that makes rewriting a file dangerous.
const ugly = "\xef\xbb\xbf# yaml-language-server: $schema=https://example.com/x.json\r\n# 🚀 licence\r\n---   # first\r\n# only a comment\r\n--- # second\r\n" +
	"# yaml-language-server: $schema=y\r\napiVersion:   v1   # the API\r\nkind: 'ConfigMap'\r\n\r\nmetadata:\r\n    name: \"a\"    # its name\r\n    labels: &labels { app: x, 'tier': \"y\" }\r\n\r\n" +
	"data:\r\n    dup: 1\r\n    dup: 2\r\n    emoji: 🎉 é\r\n    script: |-\r\n        #!/bin/sh\r\n        # not a comment\r\n\r\n        ---x\r\n    folded: >+\r\n        a\r\n        b\r\n\r\n" +
	"    plain: one\r\n      two # end\r\nlist:\r\n- a\r\n# about b\r\n- b # b\r\n# - off\r\n-   name: c\r\n    value:   1\r\nselector: *labels\r\nbase: &base\r\n    k: v\r\nderived:\r\n    <<: *base\r\n    own: [1, 2,\r\n        3]\r\n" +
	"sops:\r\n    mac: ENC[AES256_GCM,data:x,iv:y==,type:str]\r\n    pgp: []\r\n...\r\n---\r\n{\"json\": [1, {\"a\": null}]}"

func TestEditUgly(t *testing.T) {
	want := strings.NewReplacer("emoji: 🎉 é", "emoji: 🔥 é", "- b # b\n", "", "value:   1", "value: 2", "own: [1, 2,\n        3]", "own: [1, 2, 3, 4]",
		"    labels:", "    annotations:\n        new: x\n    labels:", "    plain: one\n      two # end\n", "")
	start := strings.Index(ugly, "--- # second")
	doc := strings.ReplaceAll(ugly[start:strings.Index(ugly, "---\r\n{")], "\r\n", "\n")
	out, err := EditDocument([]byte(ugly), 0, []byte(want.Replace(doc)))
	if err != nil {
		t.Fatal(err)
	}
	expect := strings.NewReplacer("emoji: 🎉 é", "emoji: 🔥 é", "# about b\r\n- b # b\r\n", "", "value:   1", "value:   2", "        3]", "        3,\r\n        4]",
		"\"y\" }\r\n", "\"y\" }\r\n    annotations:\r\n        new: x\r\n", "    plain: one\r\n      two # end\r\n", "").Replace(ugly)
	if string(out) != expect {
		t.Errorf("got\n%s\nwant\n%s", out, expect)
	}
	if out, err = EditDocument(out, 1, []byte("json: [1, {a: null, b: c}]")); err != nil || !strings.HasSuffix(string(out), `{"json": [1, {"a": null, "b": "c"}]}`) {
		t.Errorf("%v\n%s", err, out)
	}
}

func TestEditRefuses(t *testing.T) {
	for name, c := range map[string]struct{ doc, want, message string }{
		"an anchored value that an alias repeats": {"a: &x {b: 1}\nc: *x\n", "{a: {b: 2}, c: {b: 1}}", "alias *x"},
		"an anchor that is still used":            {"a: &x 1\nb: *x\n", "b: 1", "an anchor that is not there"},
		"a key from a merge":                      {"a: &x {b: 1}\nc:\n  <<: *x\n  d: 1\n", "{a: {b: 1}, c: {d: 1}}", "merge key"},
		"a doubled key":                           {"a: 1\na: 2\n", "a: 3", "more than once"},
		"an explicit key":                         {"? a\n: b\nc: 1\n", "{a: b, c: 2}", "the key \"a\""},
		"another kind of document":                {"a: 1\n", "[a]", "whole document"},
		"two documents":                           {"a: 1\n---\nb: 1\n", "a: 1", "more than one"},
		"nothing":                                 {"# a\n", "a: 1", "holds nothing"},
		"broken yaml":                             {"a: [\n", "a: 1", "cannot parse the document"},
		"broken want":                             {"a: 1\n", "a: [", "cannot parse the wanted"},
		"a value in itself":                       {"a: &x\n  b: *x\n", "a: 1", "its own anchor"},
	} {
		t.Run(name, func(t *testing.T) {
			out, err := Edit([]byte(c.doc), []byte(c.want))
			if err == nil || !strings.Contains(err.Error(), c.message) {
				t.Errorf("got %q, %v", out, err)
			}
		})
	}
}

func TestEditHostile(t *testing.T) {
	laughs := "a0: &a0 [x]\n"
	for i := 1; i < 60; i++ {
		laughs += strings.NewReplacer("N", string(rune('0'+i/10))+string(rune('0'+i%10)), "P", prior(i)).Replace("aN: &aN [*P, *P, *P]\n")
	}
	if out, err := Edit([]byte(laughs+"z: 1\n"), []byte(laughs+"z: 2\n")); err != nil || string(out) != laughs+"z: 2\n" {
		t.Errorf("aliases of aliases: %v", err)
	}
	if _, err := Edit([]byte("z: 1\n"), []byte(laughs+"z: 2\n")); err == nil || !strings.Contains(err.Error(), "too large") {
		t.Errorf("aliases of aliases to write: %v", err)
	}
}

// TestEditLong edits a list and a line that are as long as a file may be.
func TestEditLong(t *testing.T) {
	if testing.Short() {
		t.Skip("skipped: it takes a minute")
	}
	long := "a:\n" + strings.Repeat("- x: 1\n", 100000)
	if _, err := Edit([]byte(long), []byte(strings.ReplaceAll(long, "1", "2"))); err != nil {
		t.Errorf("a long list: %v", err)
	}
	one := "[" + strings.Repeat("{\"é\": 1}, ", 50000) + "1]"
	if _, err := Edit([]byte(one), []byte(one[:len(one)-2]+"2]")); err != nil {
		t.Errorf("a long line: %v", err)
	}
}

// prior is the anchor before number i.
func prior(i int) string {
	if i == 1 {
		return "a0"
	}
	return "a" + string(rune('0'+(i-1)/10)) + string(rune('0'+(i-1)%10))
}
