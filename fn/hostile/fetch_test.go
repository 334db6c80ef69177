//go:build linux

package hostile

import (
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
)

// fetching are kustomization.yaml files, with a file x.yaml and one in a folder beside them where they need these, that
// have kustomize fetch %[1]s. The last ones make what configures a plugin with a patch, so that it shows in no file.
var fetching = [][3]string{
	{"resources: [%[1]q]\n"},
	{"Resources: [%[1]q]\n"},
	{"bases: [%[1]q]\n"},
	{"components: [%[1]q]\n"},
	{"crds: [%[1]q]\n"},
	{"configurations: [%[1]q]\n"},
	{"openapi: {path: %[1]q}\n"},
	{"patches: [{path: %[1]q}]\n"},
	{"patchesJson6902: [{path: %[1]q, target: {kind: ConfigMap, name: x, version: v1}}]\n"},
	{"patchesStrategicMerge: [%[1]q]\n"},
	{"replacements: [{path: %[1]q}]\n"},
	{"configMapGenerator: [{name: x, files: ['a=%[1]s'], envs: [%[1]q], env: %[1]q}]\n"},
	{"secretGenerator: [{name: x, files: [%[1]q]}]\n"},
	{"generators: [%[1]q]\n"},
	{"transformers: [%[1]q]\n"},
	{"transformers: [\"%[1]s\\n\"]\n"},
	{"validators: [%[1]q]\n"},
	{"helmCharts: [{name: x, repo: %[1]q, valuesFile: %[1]q, additionalValuesFiles: [%[1]q]}]\nhelmGlobals: {chartHome: %[1]q}\n"},
	{"transformers:\n- |\n  {apiVersion: builtin, kind: PatchTransformer, metadata: {name: x}, path: %[1]q, target: {kind: X}}\n"},
	{"transformers: [x.yaml]\n", "{apiVersion: builtin, kind: PatchTransformer, metadata: {name: x}, path: %[1]q, target: {kind: X}}\n"},
	{"transformers: [d]\n", "{apiVersion: builtin, kind: ReplacementTransformer, metadata: {name: x}, replacements: [{path: %[1]q}]}\n", "resources: [../x.yaml]\n"},
	{"generators: [x.yaml]\n", "{apiVersion: builtin, kind: HelmChartInflationGenerator, metadata: {name: x}, name: x, repo: %[1]q}\n"},
	{"transformers: [d]\n", "{apiVersion: builtin, kind: PatchTransformer, metadata: {name: x}, path: y.yaml, target: {kind: X}}\n",
		"resources: [../x.yaml]\npatches:\n- target: {kind: PatchTransformer}\n  patch: '[{\"op\": \"replace\", \"path\": \"/path\", \"value\": %[1]q}]'\n"},
	{"generators: [d]\n", "{apiVersion: v1, kind: X, metadata: {name: x}, name: x, repo: y}\n",
		"resources: [../x.yaml]\npatches:\n- target: {kind: X}\n  options: {allowKindChange: true}\n  patch: '[{\"op\": \"replace\", \"path\": \"/apiVersion\", \"value\": \"builtin\"}, {\"op\": \"replace\", \"path\": \"/kind\", \"value\": \"HelmChartInflationGenerator\"}]'\n"},
}

// TestNothingIsFetched runs the commands on a repository in which every field names an address: that of a server which
// counts, or of a repository, where a git that leaves a mark is what would clone it. Nobody is asked, and nothing is
// left.
func TestNothingIsFetched(t *testing.T) {
	var asked atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { asked.Add(1) }))
	defer server.Close()
	bin, temporary := t.TempDir(), t.TempDir()
	for _, program := range []string{"git", "helm"} {
		if err := os.WriteFile(filepath.Join(bin, program), fmt.Appendf(nil, "#!/bin/sh\n: >%s/%s\nexit 1\n", temporary, program), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	files, applied := map[string]string{}, ""
	for i, address := range []string{server.URL + "/x.yaml", "user@host:org/repo", "https://github.com/org/repo//x?ref=v1", "git::file:///org/repo"} {
		for j, fields := range fetching {
			dir := fmt.Sprintf("fetch/a%d-%d", i, j)
			applied += "---\n" + app(fmt.Sprintf("a%d-%d", i, j), "./"+dir)
			files[dir+"/user@host:org/repo/kustomization.yaml"] = "namePrefix: x-\n"
			for name, text := range map[string]string{"kustomization.yaml": fields[0], "x.yaml": fields[1], "d/kustomization.yaml": fields[2]} {
				if strings.Contains(text, "%[1]") {
					text = fmt.Sprintf(text, address)
				}
				if text != "" {
					files[dir+"/"+name] = text
				}
			}
		}
	}
	files["cluster/fetch.yaml"] = applied
	dir := repository(t, files, nil)
	for _, args := range [][]string{{"plan", dir}, {"inventory", dir, "--output", "json"}, {"diff", dir}} {
		cmd := start(t, args...)
		cmd.Env = append(os.Environ(), "PATH="+bin+":/usr/bin:/bin", "TMPDIR="+temporary)
		var out bytes.Buffer
		cmd.Stdout, cmd.Stderr = &out, &out
		if err := cmd.Run(); err != nil {
			t.Errorf("%s: %v\n%.2000s", args[0], err, out.String())
		}
		if n := asked.Load(); n > 0 {
			t.Errorf("%s: the server was asked %d times", args[0], n)
		}
		for name := range state(t, temporary) {
			t.Errorf("%s left %s", args[0], name)
		}
		if entries, err := os.ReadDir(temporary); err != nil || len(entries) > 0 {
			t.Errorf("%s left %v %v", args[0], entries, err)
		}
		if args[0] == "inventory" && strings.Count(out.String(), "remote base") < 2*len(fetching) {
			t.Errorf("what is left out is not named:\n%.3000s", out.String())
		}
	}
}
