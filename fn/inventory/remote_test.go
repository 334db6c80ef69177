package inventory

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"path"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/kyaml/filesys"

	"migrate-to-flux-operator/fn/kustomize"
)

// errAsked is what kustomize gets that asks another machine.
var errAsked = errors.New("asked another machine")

// asking counts how often another machine is asked.
type asking int

// RoundTrip implements http.RoundTripper.
func (a *asking) RoundTrip(*http.Request) (*http.Response, error) {
	*a++
	return nil, errAsked
}

// count has HTTP answer with errAsked for one test, and counts that.
func count(t *testing.T) *asking {
	before, asked := http.DefaultTransport, new(asking)
	http.DefaultTransport = asked
	t.Cleanup(func() { http.DefaultTransport = before })
	return asked
}

// leaving puts a git in the place of git that leaves a mark, and returns what tells whether there is a mark, or a
// temporary file, and takes it away.
func leaving(t *testing.T) (left func() bool) {
	bin, temporary := t.TempDir(), t.TempDir()
	if err := os.WriteFile(filepath.Join(bin, "git"), fmt.Appendf(nil, "#!/bin/sh\n: >%s/mark\nexit 1\n", temporary), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", bin)
	t.Setenv("TMPDIR", temporary)
	return func() bool {
		entries, err := os.ReadDir(temporary)
		if err != nil {
			t.Fatal(err)
		}
		for _, entry := range entries {
			if err := os.RemoveAll(filepath.Join(temporary, entry.Name())); err != nil {
				t.Fatal(err)
			}
		}
		return len(entries) > 0
	}
}

// asks reports whether kustomize itself goes to another machine for an entry of a field.
func asks(t *testing.T, field, entry string) bool {
	t.Helper()
	tree := filesys.MakeFsInMemory()
	if err := tree.WriteFile("/kustomization.yaml", fmt.Appendf(nil, "%s: [%q]\n", field, entry)); err != nil {
		t.Fatal(err)
	}
	_, err := krusty.MakeKustomizer(krusty.MakeDefaultOptions()).Run(tree, "/")
	return err != nil && (strings.Contains(err.Error(), errAsked.Error()) || strings.Contains(err.Error(), "no 'git' program on path"))
}

// TestRemote holds what counts as remote against what kustomize goes to other machines for, for addresses that people
// write and for such that are put together at random.
func TestRemote(t *testing.T) {
	count(t)
	t.Setenv("PATH", "") // so that no git is found, which kustomize says
	entries := []string{
		"https://github.com/org/repo", "https://github.com/org/repo//path?ref=v1", "github.com/org/repo", "GitHub.com/org/repo", "github.com:org/repo", "git@github.com:org/repo.git",
		"git@gitlab.com:org/repo", "user@host:org/repo", "ssh://git@host/org/repo", "git::https://host/org/repo", "GIT::HTTP://host/org/repo", "file:///a/b", "FILE://a", "http:x", "HTTP://x/y",
		"https://host/_git/repo", "alice@example.com/a/b", "alice@example.com/a", "alice@v1.yaml", "gitlab.com/org/repo", "gh:org/repo", "x.git/y", "./github.com/org/repo", "a/b.yaml", "../a",
		"/github.com/a/b", "github.com/a/b//../c", "http://%zz", "user@host:org/repo\n", " https://host/x", "https:/host", "github.com/", "a@/b/c", "a@b:", "a@b:/c/d", "file://", "ssh://x",
	}
	parts := []string{"git::", "ssh://", "https://", "http://", "file://", "user@", "u-1@", "github.com/", "github.com:", "host", "/", "//", ":", ".git", "_git/", "?ref=x", "..", "a", "Org", ".", "%", " ", "@"}
	random := rand.New(rand.NewPCG(1, 2))
	for range 1000 {
		entry := ""
		for range 1 + random.IntN(6) {
			entry += parts[random.IntN(len(parts))]
		}
		entries = append(entries, entry)
	}
	for _, entry := range entries {
		if got, want := isRepository(entry), asks(t, "components", entry); got != want {
			t.Errorf("%q is a repository: %t, to kustomize: %t", entry, got, want)
		}
		if got, want := isRemoteFile(entry), asks(t, "crds", entry); got != want {
			t.Errorf("%q is a remote file: %t, to kustomize: %t", entry, got, want)
		}
	}
}

// remoteFields are kustomization.yaml files, with a file beside where they need one, that have kustomize fetch ADDRESS.
var remoteFields = map[string][2]string{
	"resources":                      {"resources: ['ADDRESS']\n"},
	"Resources":                      {"Resources: ['ADDRESS']\n"},
	"bases":                          {"bases: ['ADDRESS']\n"},
	"components":                     {"components: ['ADDRESS']\n"},
	"crds":                           {"crds: ['ADDRESS']\n"},
	"configurations":                 {"configurations: ['ADDRESS']\n"},
	"openapi":                        {"openapi: {path: 'ADDRESS'}\n"},
	"OPENAPI":                        {"OPENAPI: {path: 'ADDRESS'}\n"},
	"patches":                        {"patches: [{path: 'ADDRESS'}]\n"},
	"patchesJson6902":                {"patchesJson6902: [{path: 'ADDRESS', target: {kind: ConfigMap, name: x, version: v1}}]\n"},
	"patchesStrategicMerge":          {"patchesStrategicMerge: ['ADDRESS']\n"},
	"replacements":                   {"replacements: [{path: 'ADDRESS'}]\n"},
	"configMapGenerator files":       {"configMapGenerator: [{name: x, files: ['a=ADDRESS']}]\n"},
	"configMapGenerator envs":        {"configMapGenerator: [{name: x, envs: ['ADDRESS']}]\n"},
	"configMapGenerator env":         {"configMapGenerator: [{name: x, env: 'ADDRESS'}]\n"},
	"secretGenerator files":          {"secretGenerator: [{name: x, files: ['ADDRESS']}]\n"},
	"secretGenerator envs":           {"secretGenerator: [{name: x, envs: ['ADDRESS']}]\n"},
	"generators":                     {"generators: ['ADDRESS']\n"},
	"transformers":                   {"transformers: ['ADDRESS']\n"},
	"validators":                     {"validators: ['ADDRESS']\n"},
	"helmCharts":                     {"helmCharts: [{name: x, repo: 'ADDRESS', additionalValuesFiles: ['ADDRESS'], valuesFile: 'ADDRESS'}]\n"},
	"helmChartInflationGenerator":    {"helmChartInflationGenerator: [{chartName: x, chartRepoUrl: 'ADDRESS', values: 'ADDRESS'}]\n"},
	"PatchTransformer":               {"transformers: [x.yaml]\n", "{apiVersion: builtin, kind: PatchTransformer, metadata: {name: x}, path: 'ADDRESS', target: {kind: X}}\n"},
	"PatchTransformer inline":        {"transformers:\n- |\n  {apiVersion: builtin, kind: PatchTransformer, metadata: {name: x}, PATH: 'ADDRESS', target: {kind: X}}\n"},
	"PatchTransformer escaped":       {"transformers: [x.yaml]\n", "{\"api\\x56ersion\": \"built\\x69n\", kind: PatchTransformer, metadata: {name: x}, path: 'ADDRESS', target: {kind: X}}\n"},
	"PatchTransformer in a list":     {"transformers: [x.yaml]\n", "{apiVersion: v1, kind: List, items: [{apiVersion: builtin, kind: PatchTransformer, metadata: {name: x}, path: 'ADDRESS', target: {kind: X}}]}\n"},
	"PatchTransformer as validator":  {"validators: [x.yaml]\n", "{apiVersion: builtin, kind: PatchTransformer, metadata: {name: x}, path: 'ADDRESS', target: {kind: X}}\n"},
	"PatchJson6902Transformer":       {"transformers: [x.yaml]\n", "{apiVersion: builtin, kind: PatchJson6902Transformer, metadata: {name: x}, path: 'ADDRESS', target: {kind: X, name: x}}\n"},
	"PatchStrategicMergeTransformer": {"transformers: [x.yaml]\n", "{apiVersion: builtin, kind: PatchStrategicMergeTransformer, metadata: {name: x}, paths: ['ADDRESS']}\n"},
	"ReplacementTransformer":         {"transformers: [x.yaml]\n", "{apiVersion: builtin, kind: ReplacementTransformer, metadata: {name: x}, replacements: [{path: 'ADDRESS'}]}\n"},
	"ValueAddTransformer":            {"transformers: [x.yaml]\n", "{apiVersion: builtin, kind: ValueAddTransformer, metadata: {name: x}, targetFilePath: 'ADDRESS'}\n"},
	"ConfigMapGenerator":             {"generators: [x.yaml]\n", "{apiVersion: builtin, kind: ConfigMapGenerator, metadata: {name: x}, files: ['a=ADDRESS'], envs: ['ADDRESS'], env: 'ADDRESS'}\n"},
	"SecretGenerator":                {"generators: [x.yaml]\n", "{apiVersion: builtin, kind: SecretGenerator, metadata: {name: x}, files: ['a=ADDRESS'], envs: ['ADDRESS']}\n"},
	"HelmChartInflationGenerator":    {"generators: [x.yaml]\n", "{apiVersion: builtin, kind: HelmChartInflationGenerator, metadata: {name: x}, name: x, repo: 'ADDRESS', valuesFile: 'ADDRESS', additionalValuesFiles: ['ADDRESS']}\n"},
	"plugins in a folder":            {"transformers: [d]\n", "{apiVersion: builtin, kind: PatchTransformer, metadata: {name: x}, path: 'ADDRESS', target: {kind: X}}\n"},
}

// remoteTree is a repository whose folder in has the field, with a folder and a file beside it that have the name of
// the address.
func remoteTree(in string, field [2]string, address string) fstest.MapFS {
	tree := files("apps/cm.yaml", configMap("a"), "base/cm.yaml", configMap("b"), "apps/kustomization.yaml", "resources: [cm.yaml, ../base]\ncomponents: [../component]\n",
		"base/kustomization.yaml", "resources: [cm.yaml]\n", "component/kustomization.yaml", "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\n",
		in+"/x.yaml", strings.ReplaceAll(field[1], "ADDRESS", address), in+"/d/kustomization.yaml", "resources: [../x.yaml]\n", in+"/"+path.Clean(address)+"/kustomization.yaml", "namePrefix: x-\n")
	text := string(tree[in+"/kustomization.yaml"].Data)
	if name, _, _ := strings.Cut(strings.ToLower(field[0]), ":"); strings.Contains(text, name+":") {
		_, text, _ = strings.Cut(text, name+": ")
		_, text, _ = strings.Cut(text, "\n")
	}
	tree[in+"/kustomization.yaml"].Data = []byte(text + strings.ReplaceAll(field[0], "ADDRESS", address))
	return tree
}

// TestNothingIsAsked builds each field that can have kustomize fetch something, in the kustomization.yaml that Flux
// builds, in a base of it and in a component: nobody is asked, and what is left out is noted. Kustomize alone does ask
// for each.
func TestNothingIsAsked(t *testing.T) {
	asked, left := count(t), leaving(t)
	for name, field := range remoteFields {
		t.Run(name, func(t *testing.T) {
			alone := 0
			for _, address := range []string{"http://127.0.0.1:1/x.yaml", "user@host:org/repo", "https://github.com/org/repo//x?ref=v1", "git::file:///org/repo"} {
				for _, in := range []string{"apps", "base", "component"} {
					tree := remoteTree(in, field, address)
					inv := open(t, tree).Build(root(""))
					if left() || *asked > 0 {
						t.Errorf("%s in %s was asked", address, in)
					}
					if *asked = 0; len(inv.Opaque) == 0 && len(inv.Problems) == 0 {
						t.Errorf("%s in %s is not noted", address, in)
					}
					_, _ = kustomize.Run(kustomize.Memory{FileSystem: onMemory(tree)}, "/apps", "")
					if left() || *asked > 0 {
						alone++
					}
					*asked = 0
				}
			}
			if alone < 3 && !strings.HasPrefix(strings.ToLower(name), "helm") { // which kustomize would have Helm fetch
				t.Errorf("kustomize alone asks %d times", alone)
			}
		})
	}
}

// onMemory is a tree as kustomize has it, which takes no folders named like addresses.
func onMemory(tree fstest.MapFS) filesys.FileSystem {
	memory := filesys.MakeFsInMemory()
	for name, file := range tree {
		_ = memory.WriteFile("/"+name, file.Data)
	}
	return memory
}
