package printable

import (
	"encoding/json"
	"testing"
)

func TestLineAndText(t *testing.T) {
	for in, want := range map[string][2]string{
		"plain, ü, 🚀":                 {"plain, ü, 🚀", "plain, ü, 🚀"},
		"a\x1b[31mb":                  {"a?[31mb", "a?[31mb"},
		"a\r\nb\tc":                   {"a? b c", "a?\nb\tc"},
		"\x00\a\b\x7f":                {"????", "????"},
		"csi \u009b31m":               {"csi ?31m", "csi ?31m"},
		"turned \u202eexe.lmay\u2066": {"turned ?exe.lmay?", "turned ?exe.lmay?"},
		"a\u200bb\ufeff\U000e0041":    {"a?b??", "a?b??"},
		"join \u200d, 👩\u200d💻":       {"join \u200d, 👩\u200d💻", "join \u200d, 👩\u200d💻"},
		"broken \xff":                 {"broken ?", "broken ?"},
		"a\u2028b\u2029c\u0085d":      {"a?b?c?d", "a?b?c?d"},
		"::add-mask::x":               {"?:add-mask::x", "?:add-mask::x"},
		"a\n \u00a0::stop-commands::": {"a  \u00a0::stop-commands::", "a\n \u00a0?:stop-commands::"},
		"a\n\n::b\n:::c":              {"a  ::b :::c", "a\n\n?:b\n?::c"},
		"a\r::b":                      {"a?::b", "a?::b"},
		"a ::b, ##[c]d, ##vso[e]f":    {"a ::b, #?[c]d, #?vso[e]f", "a ::b, #?[c]d, #?vso[e]f"},
		"#[a] ##b ## [c] ###[d]":      {"#[a] ##b ## [c] ##?[d]", "#[a] ##b ## [c] ##?[d]"},
	} {
		if got := Line(in); got != want[0] {
			t.Errorf("Line(%q) is %q, want %q", in, got, want[0])
		}
		if got := Text(in); got != want[1] {
			t.Errorf("Text(%q) is %q, want %q", in, got, want[1])
		}
	}
}

func TestJSON(t *testing.T) {
	for _, value := range []string{"plain ü", "a\x1b\u009b\x7f\u202e\nb\u200b\U000e0041", "##[add-mask]a\u2028::b"} {
		text, err := json.MarshalIndent([]string{value}, "", " ")
		if err != nil {
			t.Fatal(err)
		}
		shown := string(JSON(text))
		var back []string
		if err := json.Unmarshal([]byte(shown), &back); err != nil || back[0] != value {
			t.Errorf("%s reads as %q, %v", shown, back, err)
		}
		if Text(shown) != shown {
			t.Errorf("%q still drives a terminal", shown)
		}
	}
}

func TestCount(t *testing.T) {
	for want, got := range map[string]string{
		"0 objects": Count(0, "object"), "1 object": Count(1, "object"), "2 patches": Count(2, "patch"),
		"3 NetworkPolicies": Count(3, "NetworkPolicy"), "2 Ingresses": Count(2, "Ingress"),
	} {
		if got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
