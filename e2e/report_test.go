package e2e

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
)

// screenshot is the picture of the report that the README shows; -update takes it anew.
var screenshot = filepath.Join("..", "docs", "report.png")

// browser are the flags of a Chromium that talks to nobody.
var browser = []string{"--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
	"--disable-component-update", "--disable-sync", "--hide-scrollbars", "--allow-file-access-from-files", "--virtual-time-budget=120000"}

// installPage installs what the page needs from npm, once.
var installPage = sync.OnceValue(func() error {
	dir := filepath.Join(work, "page")
	if err := os.CopyFS(dir, os.DirFS("page")); err != nil {
		return err
	}
	install := exec.Command("npm", "ci")
	install.Dir = dir
	if out, err := install.CombinedOutput(); err != nil {
		return fmt.Errorf("npm ci: %w\n%s", err, out)
	}
	return nil
})

// TestReportInABrowser renders the report of small, large and hostile repositories as GitHub does, and holds that every
// picture is drawn.
func TestReportInABrowser(t *testing.T) {
	chromium := tool(t, "chromium")
	tool(t, "npm")
	if err := installPage(); err != nil {
		t.Fatal(err)
	}
	fn := commands(t)
	example := filepath.Join("..", "examples", "kpt-fn-eval", "input")
	cases := []struct {
		name  string
		grow  func(*testing.T, checkout)
		phase string
		says  []string
	}{
		{"5 objects", nil, "deploy", []string{"FluxInstance flux", "Kustomization cluster-apps", "Deployment guestbook", "skips 35 objects"}},
		{"5 objects, cleanup", nil, "cleanup", []string{"FluxInstance flux", "Kustomization cluster-apps"}},
		{"500 objects", func(t *testing.T, c checkout) { grow(t, c, 125, "app-%d") }, "deploy",
			[]string{"FluxInstance flux", "124 more Kustomizations", "124 ConfigMaps", "Deployment guestbook"}},
		{"names with marks of Mermaid and Markdown", func(t *testing.T, c checkout) { grow(t, c, 2, `%d"];end%%%%{init|`+"`") }, "deploy",
			[]string{`Kustomization 1"];end%%{init|` + "`"}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			made := newCheckout(t, example)
			if c.grow != nil {
				c.grow(t, made)
			}
			if c.phase == "cleanup" {
				succeed(t, fn, "apply", made.directory)
				made.push(t, "deploy")
			}
			report, err := fn.run("plan", made.directory, "--report", "-", "--phase", c.phase, "--taken-over")
			if err != nil {
				t.Fatal(err)
			}
			if again, _ := fn.run("plan", made.directory, "--report", "-", "--phase", c.phase, "--taken-over"); again != report {
				t.Error("the report is another one the second time")
			}
			page := writePage(t, report)
			drawn(t, string(execute(t, nil, chromium, append(browser, "--user-data-dir="+t.TempDir(), "--dump-dom", page)...)), c.says)
			if c.name == "5 objects" && *update {
				_, pictures, _ := strings.Cut(report, "## Who owns what\n")
				execute(t, nil, chromium, append(browser, "--user-data-dir="+t.TempDir(), "--window-size=1000,1330", "--screenshot="+screenshot,
					writePage(t, "## Who owns what\n"+pictures))...)
			}
		})
	}
}

// grow adds so many Flux Kustomizations to the example, each with four objects, counting itself.
func grow(t *testing.T, c checkout, kustomizations int, pattern string) {
	t.Helper()
	folder := filepath.Join(c.directory, "kubernetes", "apps", "guestbook")
	listed := "resources:\n  - ./namespace.yaml\n  - ./ks.yaml\n"
	for n := range kustomizations {
		name := fmt.Sprintf(pattern, n)
		quoted, err := json.Marshal(name)
		if err != nil {
			t.Fatal(err)
		}
		dir := filepath.Join(folder, fmt.Sprintf("grown-%d", n))
		save(t, filepath.Join(dir, "ks.yaml"), fmt.Sprintf("apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata:\n  name: %s\n  namespace: flux-system\n"+
			"spec:\n  interval: 1h\n  path: ./kubernetes/apps/guestbook/grown-%d/app\n  prune: true\n  sourceRef:\n    kind: GitRepository\n    name: lighthouse\n", quoted, n))
		var objects strings.Builder
		for _, kind := range []string{"ConfigMap", "Secret", "ServiceAccount"} {
			fmt.Fprintf(&objects, "---\napiVersion: v1\nkind: %s\nmetadata:\n  name: grown-%d\n  namespace: guestbook\n", kind, n)
		}
		save(t, filepath.Join(dir, "app", "all.yaml"), objects.String())
		listed += fmt.Sprintf("  - ./grown-%d/ks.yaml\n", n)
	}
	save(t, filepath.Join(folder, "kustomization.yaml"), "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\n"+listed)
}

// save writes a file and the folders above it.
func save(t *testing.T, file, content string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

// writePage writes the page that renders a report, and returns its address.
func writePage(t *testing.T, report string) string {
	t.Helper()
	page, err := os.ReadFile(filepath.Join("page", "page.html"))
	if err != nil {
		t.Fatal(err)
	}
	markdown, err := json.Marshal(report) // it escapes <, so that no report ends the script
	if err != nil {
		t.Fatal(err)
	}
	modules := "file://" + filepath.Join(work, "page", "node_modules")
	file := filepath.Join(t.TempDir(), "page.html")
	save(t, file, strings.NewReplacer("MARKED", modules+"/marked/lib/marked.umd.js", "MERMAID", modules+"/mermaid/dist/mermaid.min.js",
		"MARKDOWN", string(markdown)).Replace(string(page)))
	return "file://" + file
}

// drawn holds what the browser made of the page: two pictures that say what they should, and no mark of an error.
func drawn(t *testing.T, dom string, says []string) {
	t.Helper()
	if !strings.Contains(dom, "<title>rendered</title>") {
		t.Fatalf("the page was not rendered:\n%.2000s", dom)
	}
	if pictures := strings.Count(dom, `<div class="mermaid"><svg`); pictures != 2 {
		t.Errorf("%d pictures, want 2", pictures)
	}
	for _, never := range []string{"Syntax error", `class="broken"`, `class="language-mermaid"`} {
		if strings.Contains(dom, never) {
			t.Errorf("the page has %q", never)
		}
	}
	_, shown, _ := strings.Cut(dom, "<main>")
	shown, _, _ = strings.Cut(shown, "</main>")
	text := strings.NewReplacer("&quot;", `"`, "&lt;", "<", "&gt;", ">", "&amp;", "&").Replace(regexp.MustCompile(`<[^>]*>`).ReplaceAllString(shown, ""))
	for _, want := range says {
		if !strings.Contains(text, want) {
			t.Errorf("the page does not show %q", want)
		}
	}
}
