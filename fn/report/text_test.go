package report

import "testing"

// TestCode holds that no name ends its code or its cell of a table.
func TestCode(t *testing.T) {
	for in, want := range map[string]string{
		"":              "",
		"a/b_c*":        "`a/b_c*`",
		`a\b`:           "`a\\b`",
		"a|b":           `<code>a\|b</code>`,
		"a\\|<img>":     `<code>a\\\|&lt;img&gt;</code>`,
		"a`b ``` c":     "<code>a\\`b \\`\\`\\` c</code>",
		"a\n| b":        `<code>a \| b</code>`,
		"::x ##[y] $z$": "`?:x #?[y] $z$`",
	} {
		if got := code(in); got != want {
			t.Errorf("%q is %s, want %s", in, got, want)
		}
	}
	if got, want := text("[a](b) $c$ <d> @e"), `\[a\](b) &#36;c&#36; &lt;d&gt; &#64;e`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
