package shell

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// command finds the start of a command that a name is put into: a verb of fmt behind it, or nothing more in the text.
var command = regexp.MustCompile(`\b(kubectl|flux (-n|get|export|reconcile|events|delete|suspend|resume|install -)|helm (-n|template|get|upgrade|uninstall)|sops -|terraform -|` +
	`helmfile -|git (add|rm|push|checkout|fetch|branch|commit)|kustomize build|sh|yq)\b([^;.]*%(\[\d\])?[a-z]|[^;.,:]* $)`)

// TestNoCommandIsPutTogether holds that commands are made by Run: a text of the program has none with a place for a
// name. The writer of the script for bootstrap is left out, which fills in words.
func TestNoCommandIsPutTogether(t *testing.T) {
	err := filepath.WalkDir("..", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || filepath.Ext(name) != ".go" || strings.HasSuffix(name, "_test.go") || strings.HasPrefix(name, "../bench/") || name == "../bootstrap/shell.go" {
			return err
		}
		files := token.NewFileSet()
		file, err := parser.ParseFile(files, name, nil, 0)
		if err != nil {
			return err
		}
		ast.Inspect(file, func(node ast.Node) bool {
			literal, isLiteral := node.(*ast.BasicLit)
			if !isLiteral || literal.Kind != token.STRING {
				return true
			}
			if text, _ := strconv.Unquote(literal.Value); command.MatchString(text) {
				t.Errorf("%s: %q: make it with shell.Run", files.Position(literal.Pos()), command.FindString(text))
			}
			return true
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
