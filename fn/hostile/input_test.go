//go:build linux

package hostile

import (
	"cmp"
	"encoding/base64"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// secret is a value that nothing may show, in clear and as a Secret holds it.
const secret = "hush-4711"

var secretBase64 = base64.StdEncoding.EncodeToString([]byte(secret))

// input is one kind of input that means harm: files that somebody adds to a repository.
type input struct {
	name  string
	files map[string]string
	links map[string]string // from a name to where it leads
	// checkout and function are what the two ways to run it do with it; a function that is not told of does not get it.
	checkout, function answer
	// costly is for what takes all that a run may: it is run once, by apply.
	costly bool
}

// answer is what a run does.
type answer struct {
	refused bool
	says    string // in what it prints
}

// migrates and refuses are the two answers. What is said is empty where there is nothing to say.
func migrates(says string) answer { return answer{says: says} }

func refuses(says string) answer { return answer{refused: true, says: says} }

// notGiven is for what no function sees: kpt and kustomize read files, and they decide about them.
var notGiven = answer{says: "-"}

// configMap and kustomization start objects that end in what is hostile.
const (
	configMap     = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: x\n  namespace: default\n"
	kustomization = "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata:\n  name: x\n  namespace: flux-system\n"
	fromGit       = "  prune: true\n  sourceRef:\n    kind: GitRepository\n    name: flux-system\n"
)

// app is a Flux Kustomization for a path.
func app(name, path string) string {
	return strings.Replace(kustomization, "name: x", "name: "+name, 1) + "spec:\n  path: " + path + "\n" + fromGit
}

// laughs are ten anchors, each a list of nine of the one before.
func laughs() string {
	text, before := "l: &l [ha, ha, ha, ha, ha, ha, ha, ha, ha]\n", "l"
	for _, name := range strings.Split("abcdefghi", "") {
		text += fmt.Sprintf("%s: &%s [%s*%s]\n", name, name, strings.Repeat("*"+before+", ", 8), before)
		before = name
	}
	return text
}

// delimiters are what the texts are cut by that replacements put together.
const delimiters = "!#$%&()*+,./:;<=>?@[]^_`{|}~"

// doubled is a ConfigMap with a text, and places for twice that text, for twice that, and so on.
func doubled() string {
	text := configMap + "data:\n  x: ha\n"
	for i, by := range delimiters {
		text += fmt.Sprintf("  x%d: \"l%cr\"\n", i, by)
	}
	return text
}

// doubling are replacements that put each text of doubled into both halves of the next one.
func doubling() string {
	text, from := "", "x"
	for i, by := range delimiters {
		for half := range 2 {
			text += fmt.Sprintf("- source: {kind: ConfigMap, fieldPath: data.%s}\n  targets:\n  - select: {kind: ConfigMap}\n    fieldPaths: [data.x%d]\n    options: {delimiter: '%c', index: %d}\n", from, i, by, half)
		}
		from = fmt.Sprintf("x%d", i)
	}
	return text
}

// copies are operations of a JSON patch, each of which doubles the object.
func copies(n int) string {
	var all []string
	for i := range n {
		all = append(all, fmt.Sprintf(`{"op": "copy", "from": "/data", "path": "/data/x%d"}`, i))
	}
	return strings.Join(all, ", ")
}

// configMaps are many objects, and replacing are replacements of a field of all of them.
func configMaps(n int) string {
	var text strings.Builder
	for i := range n {
		text.WriteString("---\n" + strings.Replace(configMap, "name: x", fmt.Sprintf("name: x%d", i), 1) + "data: {x: x}\n")
	}
	return text.String()
}

func replacing(n int) string {
	var text strings.Builder
	for i := range n {
		fmt.Fprintf(&text, "- source: {kind: ConfigMap, name: x%d, fieldPath: data.x}\n  targets:\n  - select: {kind: ConfigMap}\n    fieldPaths: [data.x]\n", i)
	}
	return text.String()
}

// levels are bases that list two others, which list two others, and so on: each object is there as often as there are ways to it.
func levels(n int) map[string]string {
	all := map[string]string{"apps/kustomization.yaml": "resources: [../l0/a, ../l0/b]\n"}
	for i := range n {
		for _, side := range []string{"a", "b"} {
			next := fmt.Sprintf("../../l%d/a, ../../l%[1]d/b", i+1)
			if i == n-1 {
				next = "x.yaml"
				all[fmt.Sprintf("l%d/%s/x.yaml", i, side)] = configMap
			}
			all[fmt.Sprintf("l%d/%s/kustomization.yaml", i, side)] = fmt.Sprintf("namePrefix: %s%d-\nresources: [%s]\n", side, i, next)
		}
	}
	return all
}

// nested is a list in a list in a list, in flow style and in block style.
func nested(levels int) string { return strings.Repeat("[", levels) + strings.Repeat("]", levels) }

func nestedBlock(levels int) string {
	var text strings.Builder
	for i := range levels {
		text.WriteString(strings.Repeat(" ", i) + "a:\n")
	}
	return text.String()
}

const (
	tooAliased = "YAML aliases that stand for more than 100000 values"
	tooLong    = "YAML aliases that stand for more than 10485760 bytes"
	tooDeep    = "nested deeper than 500 levels"
)

// inputs is the list that docs/hostile-input.md shows.
func inputs() []input {
	mega := strings.Repeat("a", 9_999_000)
	return []input{
		{name: "a billion laughs in an object that Flux applies", files: map[string]string{"apps/x.yaml": configMap + laughs()},
			checkout: migrates("apps/x.yaml: " + tooAliased), function: migrates(tooAliased)},
		{name: "a billion laughs in a Flux Kustomization", files: map[string]string{"cluster/x.yaml": kustomization + laughs() + "spec:\n  path: ./apps\n  patches: *i\n"},
			checkout: refuses("cluster/x.yaml: " + tooAliased), function: refuses(tooAliased)},
		{name: "a billion laughs in a kustomization.yaml", files: map[string]string{"apps/kustomization.yaml": laughs() + "resources: *i\n"},
			checkout: migrates("apps/kustomization.yaml: " + tooAliased), function: notGiven},
		{name: "a billion laughs in the kustomization.yaml above the install", files: map[string]string{"cluster/kustomization.yaml": laughs() + "resources: *i\n"},
			checkout: refuses(tooAliased), function: notGiven},
		{name: "a billion laughs in a patch of a Flux Kustomization", files: map[string]string{"cluster/x.yaml": app("x", "./apps") + "  patches:\n  - target: {kind: ConfigMap}\n    patch: |\n      " + strings.ReplaceAll(laughs(), "\n", "\n      ") + "\n"},
			checkout: migrates("spec.patches[0]: " + tooAliased), function: migrates(tooAliased)},
		{name: "a billion laughs in a patch of the install", files: map[string]string{"cluster/flux.yaml": install("  patches:\n  - target: {kind: Deployment}\n    patch: |\n      kind: Deployment\n      metadata: {name: x}\n      " + strings.ReplaceAll(laughs(), "\n", "\n      ") + "\n")},
			checkout: refuses(tooAliased), function: refuses(tooAliased)},
		{name: "a text of 1 MB and 5,000 aliases of it", files: map[string]string{"apps/x.yaml": configMap + "data:\n  x: &x " + mega[:1<<20] + "\n  y: [" + strings.Repeat("*x, ", 5000) + "*x]\n"},
			checkout: migrates("apps/x.yaml: " + tooLong), function: migrates(tooLong)},
		{name: "an anchor that contains itself", files: map[string]string{"apps/x.yaml": configMap + "data: &a\n  a: [*a]\n"},
			checkout: migrates("contains itself"), function: migrates("contains itself")},
		{name: "a scalar of 10 MB", files: map[string]string{"apps/x.yaml": configMap + "data:\n  x: " + mega + "\n"},
			checkout: migrates(""), function: migrates("")},
		{name: "a name of 10 MB", files: map[string]string{"apps/x.yaml": strings.Replace(configMap, "name: x", "name: "+mega, 1)},
			checkout: migrates(""), function: migrates("")},
		{name: "a path of 10 MB in a Flux Kustomization", files: map[string]string{"cluster/x.yaml": app("x", "./"+mega)},
			checkout: migrates("does not exist"), function: migrates("")},
		{name: "a file of more than 10 MB", files: map[string]string{"apps/x.yaml": configMap + "data:\n  x: " + mega + mega + "\n"},
			checkout: migrates("apps/x.yaml was not read: larger than 10485760 bytes"), function: migrates("larger than 10485760 bytes")},
		{name: "10,000 levels of lists in flow style", files: map[string]string{"apps/x.yaml": configMap + "data: " + nested(9_999) + "\n"},
			checkout: migrates("apps/x.yaml: " + tooDeep), function: migrates(tooDeep)},
		{name: "100,000 levels of lists in flow style", files: map[string]string{"apps/x.yaml": configMap + "data: " + nested(100_000) + "\n"},
			checkout: migrates("exceeded max depth"), function: refuses("exceeded max depth")},
		{name: "10,000 levels of lists on one line", files: map[string]string{"apps/x.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: x\ndata:\n" + strings.Repeat("- ", 9_990) + "a\n"},
			checkout: migrates("apps/x.yaml: " + tooDeep), function: migrates(tooDeep)},
		{name: "3,000 levels of mappings in block style", files: map[string]string{"apps/x.yaml": configMap + "data:\n" + strings.ReplaceAll(" "+nestedBlock(3_000), "\n", "\n ") + "\n"},
			checkout: migrates("apps/x.yaml: " + tooDeep), function: migrates(tooDeep)},
		{name: "10,000 levels in a Flux Kustomization", files: map[string]string{"cluster/x.yaml": app("x", "./apps") + "  x: " + nested(9_999) + "\n"},
			checkout: refuses("cluster/x.yaml: " + tooDeep), function: refuses(tooDeep)},
		{name: "a million document separators in a file", files: map[string]string{"apps/x.yaml": configMap + strings.Repeat("---\n", 1_000_000)},
			checkout: migrates("more than 10000 documents"), function: notGiven},
		{name: "a million documents in a file", files: map[string]string{"apps/x.yaml": configMap + strings.Repeat("---\na: 1\n", 1_000_000)},
			checkout: migrates("more than 10000 documents"), function: notGiven},
		{name: "200,000 objects in a file", files: map[string]string{"apps/x.yaml": strings.Repeat("---\napiVersion: v1\nkind: A\nmetadata: {name: a}\n", 200_000)},
			checkout: migrates("more than 10000 documents"), function: notGiven},
		{name: "Flux Kustomizations that apply each other", files: map[string]string{"cluster/x.yaml": app("x", "./b"), "b/y.yaml": app("y", "./c"), "c/x.yaml": app("x", "./b")},
			checkout: migrates("has two owners"), function: migrates("has two owners")},
		{name: "Flux Kustomizations that depend on each other", files: map[string]string{"cluster/x.yaml": app("x", "./apps") + "  dependsOn: [{name: y}]\n---\n" + app("y", "./apps") + "  dependsOn: [{name: x}]\n"},
			checkout: migrates(""), function: migrates("")},
		{name: "a Flux Kustomization that depends on itself and applies itself", files: map[string]string{"x/x.yaml": app("x", "./x") + "  dependsOn: [{name: x}]\n", "cluster/x.yaml": app("x", "./x")},
			checkout: migrates(""), function: migrates("")},
		{name: "kustomization.yaml files that list each other", files: map[string]string{"apps/kustomization.yaml": "resources: [../b]\n", "b/kustomization.yaml": "resources: [../apps]\n"},
			checkout: migrates("cycle detected"), function: notGiven},
		{name: "a kustomization.yaml that lists itself", files: map[string]string{"apps/kustomization.yaml": "resources: [.]\n"},
			checkout: migrates("cycle detected"), function: notGiven},
		{name: "a kustomization.yaml that is a component of itself", files: map[string]string{"apps/kustomization.yaml": "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\ncomponents: [../apps]\n"},
			checkout: migrates("does not build"), function: notGiven},
		{name: "`../` and absolute paths in `resources`", files: map[string]string{"apps/kustomization.yaml": "resources: [podinfo.yaml, ../../outside.yaml, ../../../../../../../etc/passwd, /etc/passwd, 'C:\\outside.yaml']\n"},
			checkout: migrates("apps: not judged: missing file: "), function: notGiven},
		{name: "`../` in the resources above the install", files: map[string]string{"cluster/kustomization.yaml": "resources: [flux.yaml, sync.yaml, apps.yaml, ../../outside.yaml]\n"},
			checkout: migrates("missing file: ../../outside.yaml"), function: notGiven},
		{name: "a patch file outside of the repository", files: map[string]string{"cluster/kustomization.yaml": "resources: [flux.yaml, sync.yaml, apps.yaml]\npatches:\n- path: ../../outside.yaml\n  target: {kind: GitRepository}\n"},
			checkout: refuses("the patch file ../../outside.yaml is not in the input"), function: notGiven},
		{name: "a generator that reads a file outside of the repository", files: map[string]string{"apps/kustomization.yaml": "configMapGenerator:\n- name: x\n  namespace: default\n  files: [../../outside.yaml, passwd=/etc/passwd]\n"},
			checkout: migrates("missing file: ../../outside.yaml"), function: notGiven},
		{name: "a Flux Kustomization whose path leads out of the repository", files: map[string]string{"cluster/x.yaml": app("x", "../../../../etc")},
			checkout: migrates("path etc does not exist"), function: migrates("path etc does not exist")},
		{name: "a remote base", files: map[string]string{"apps/kustomization.yaml": "resources: [https://localhost:1/x.yaml]\n"},
			checkout: migrates("remote base: https://localhost:1/x.yaml"), function: notGiven},
		{name: "replacements that double a text 28 times", files: map[string]string{"apps/kustomization.yaml": "resources: [x.yaml]\nreplacements:\n" + doubling(), "apps/x.yaml": doubled()},
			checkout: refuses("the build of apps takes more than "), function: notGiven, costly: true},
		{name: "1,000 replacements on 2,000 objects", files: map[string]string{"apps/kustomization.yaml": "resources: [x.yaml]\nreplacements:\n" + replacing(1000), "apps/x.yaml": configMaps(2000)},
			checkout: refuses("the build of apps takes more than 10s of computing"), function: notGiven, costly: true},
		{name: "a patch of a Flux Kustomization that copies an object into itself 40 times", files: map[string]string{"x/x.yaml": configMap + "data: {x: x}\n",
			"cluster/x.yaml": app("x", "./x") + "  patches:\n  - target: {kind: ConfigMap}\n    patch: '[" + copies(40) + "]'\n"},
			checkout: refuses("the build of x takes more than "), function: refuses("the build of x takes more than "), costly: true},
		{name: "2,000 targets that are hard to match", files: map[string]string{"apps/kustomization.yaml": "resources: [x.yaml]\npatches:\n" +
			strings.Repeat("- target: {kind: ConfigMap, name: '((x{0,30}){0,30})*y'}\n  patch: '[{\"op\": \"add\", \"path\": \"/data/x\", \"value\": \"x\"}]'\n", 2000), "apps/x.yaml": configMaps(3000)},
			checkout: refuses("the build of apps takes more than 10s of computing"), function: notGiven, costly: true},
		{name: "16 levels of bases, each listed twice", files: levels(16),
			checkout: refuses("the build of apps takes more than "), function: notGiven, costly: true},
		{name: "1.2 million entries in a kustomization.yaml", files: map[string]string{"apps/kustomization.yaml": "resources: [" + strings.Repeat("a, ", 1_200_000) + "x.yaml]\n"},
			checkout: migrates("apps/kustomization.yaml: more than 500000 lines and entries"), function: notGiven},
		{name: "100,000 entries in a kustomization.yaml", files: map[string]string{"apps/kustomization.yaml": "resources: [" + strings.Repeat("a, ", 100_000) + "x.yaml]\n"},
			checkout: migrates("apps/kustomization.yaml: its lists have more than 20000 entries"), function: notGiven},
		{name: "1.2 million entries in an object", files: map[string]string{"apps/x.yaml": configMap + "data:\n  x: [" + strings.Repeat("a, ", 1_200_000) + "a]\n"},
			checkout: migrates("apps/x.yaml: more than 500000 lines and entries"), function: refuses("more than 500000 lines and entries")},
		{name: "a link to a file outside of the repository", files: map[string]string{"../outside.yaml": app("outside", "./apps"), "cluster/kustomization.yaml": "resources: [flux.yaml, sync.yaml, apps.yaml, outside.yaml]\n"},
			links: map[string]string{"cluster/outside.yaml": "../../outside.yaml"}, checkout: migrates("missing file: outside.yaml"), function: notGiven},
		{name: "a link to a folder around itself", links: map[string]string{"apps/loop": "..", "cluster/loop": "."},
			checkout: migrates(""), function: notGiven},
		{name: "a link in the place of a file that has to be edited", files: map[string]string{"cluster/kustomization.yaml": "resources: [flux.yaml, sync.yaml, apps.yaml]\n", "elsewhere/k.txt": "x"},
			links: map[string]string{"cluster/flux-operator": "../elsewhere"}, checkout: refuses("cluster/flux-operator is a symbolic link"), function: notGiven},
		{name: "control characters and terminal escapes in names", files: map[string]string{
			"cluster/\x1b]0;x\a.yaml":  "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {name: \"x\\e[31m\\e]0;x\\a\\n  error: y\\u202e\", namespace: \"flux-system\"}\nspec: {path: \"./\\e[31m\", prune: true, sourceRef: {kind: GitRepository, name: \"y\\e[2J\"}}\n",
			"apps/\x1b[31m.yaml":       "apiVersion: v1\nkind: \"Config\\eMap\"\nmetadata: {name: \"\\e[31mx\\u009b31m\", namespace: default}\n",
			"apps/\x1b[2K/broken.yaml": "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {name: \x1b[31m\n"},
			checkout: migrates("apps/?[2K/broken.yaml"), function: notGiven},
		{name: "terminal escapes in the sync pair", files: map[string]string{"cluster/sync.yaml": "apiVersion: source.toolkit.fluxcd.io/v1\nkind: GitRepository\nmetadata: {name: \"x\\e[31m\\nerror: y\", namespace: flux-system}\nspec:\n  interval: 5m\n  url: \"ssh://git@github.com/example/fleet\\e[31m\"\n  ref: {branch: \"main\\e[2J\"}\n---\n" +
			"apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {name: \"y\\e[31m\", namespace: flux-system}\nspec: {interval: 5m, path: ./cluster, prune: true, sourceRef: {kind: GitRepository, name: \"x\\e[31m\\nerror: y\"}}\n"},
			checkout: refuses("is not a name that Kubernetes takes"), function: refuses("is not a name that Kubernetes takes")},
		{name: "shell commands in the names and the path of the sync pair", files: map[string]string{"cluster/sync.yaml": strings.ReplaceAll(sync(), "name: flux-system", "name: $(touch x)")},
			checkout: refuses("is not a name that Kubernetes takes"), function: refuses("is not a name that Kubernetes takes")},
		{name: "commands to a CI runner in names, kinds, comments and texts", files: map[string]string{
			"cluster/x.yaml":             app(`"::add-mask::x\n::stop-commands::y"`, `"./##[add-mask]x"`),
			"apps/x.yaml":                "apiVersion: v1\nkind: \"::error::x\"\nmetadata: {name: \"x\\n::add-mask::y\\r::z::\", namespace: \"##vso[x]y\"}\n",
			"apps/::error::x\n::y.yaml":  "kind: Kustomization\napiVersion: kustomize.toolkit.fluxcd.io/v1\nmetadata: {name: [\n",
			"cluster/kustomization.yaml": "# ##[add-mask]x\nresources:\n- flux.yaml\n- sync.yaml\n- apps.yaml\n- x.yaml\n",
			"cluster/sync.yaml":          strings.ReplaceAll(sync(), "metadata:\n", "metadata:\n  # ##[add-mask]x\n"),
			"cluster/flux.yaml":          install("") + "---\ndata: {x: \"\n  ::add-mask::x\"}\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\n"},
			checkout: migrates("#?[add-mask]x"), function: notGiven},
		{name: "terminal escapes in a patch of the install", files: map[string]string{"cluster/flux.yaml": install("  patches:\n  - target: {kind: \"Deploy\\e[31mment\"}\n    patch: \"- {op: add, path: \\\"/x\\\\e[31m\\\", value: 1}\"\n")},
			checkout: refuses(""), function: refuses("")},
		{name: "`${...}` everywhere", files: map[string]string{
			"cluster/x.yaml": app("${A}", "./${B}") + "---\n" + app("x", "./apps") + "  postBuild:\n    substitute:\n      a: ${a}\n      b: ${c:=${b}}\n      c: ${b}\n",
			"apps/x.yaml":    "apiVersion: v1\nkind: ${KIND}\nmetadata:\n  name: ${a}-${b:-${c}}\n  namespace: ${d//x/y}\n---\napiVersion: ${${a}}\nkind: ConfigMap\nmetadata: {name: \"${\"}\n"},
			checkout: migrates(""), function: notGiven},
		{name: "a variable that stands for a million others", files: map[string]string{
			"cluster/x.yaml": app("x", "./x") + "  postBuild:\n    substitute:\n      a: " + strings.Repeat("a", 100_000) + "\n",
			"x/x.yaml":       configMap + "data:\n  x: " + strings.Repeat("${a}", 100_000) + "\n"},
			checkout: migrates("larger than 10485760 bytes"), function: migrates("larger than 10485760 bytes")},
		{name: "a Secret between the objects that change", files: map[string]string{"cluster/sync.yaml": syncWithSecret()},
			checkout: migrates(""), function: migrates("")},
		{name: "a Secret that is no YAML", files: map[string]string{"cluster/x.yaml": secretText("  x: [" + secret + "\n  y: !!int " + secret + "\n")},
			checkout: refuses("did not find expected ',' or ']'"), function: notGiven},
		{name: "a Secret whose values are none", files: map[string]string{"cluster/x.yaml": secretText("  x: [" + secret + "]\n  y: {z: " + secret + "}\n"), "apps/x.yaml": strings.Replace(secretText("  x: {y: "+secret+"}\n"), "stringData", "data", 1)},
			checkout: migrates(""), function: notGiven},
		{name: "a Secret whose values are variables", files: map[string]string{
			"cluster/x.yaml": secretText("  x: "+secret+"\n") + "---\n" + app("x", "./x") + "  postBuild:\n    substituteFrom: [{kind: Secret, name: x}]\n",
			"x/x.yaml":       "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a-${x}\n---\napiVersion: ${x}\nkind: ${x}\nmetadata: {name: x, namespace: '${x}'}\n"},
			checkout: migrates("x/x.yaml"), function: migrates("")},
		{name: "a Secret that a generator gets wrong", files: map[string]string{"apps/kustomization.yaml": "secretGenerator:\n- name: x\n  literals: [" + secret + "]\n- name: y\n  namespace: default\n  literals: [a=" + secret + ", a=" + secret + "]\n"},
			checkout: migrates("does not build"), function: notGiven},
		{name: "a Secret that a patch gets wrong", files: map[string]string{"apps/x.yaml": secretText("  x: " + secret + "\n"), "apps/kustomization.yaml": "resources: [x.yaml]\npatches:\n- target: {kind: Secret}\n  patch: |\n    - {op: test, path: /stringData/x, value: " + secret + "1}\n- patch: |\n    apiVersion: v1\n    kind: Secret\n    metadata: {name: none}\n    stringData: {x: " + secret + "}\n"},
			checkout: migrates("does not build"), function: notGiven},
		{name: "a sync pair that SOPS has encrypted", files: map[string]string{"cluster/sync.yaml": strings.Replace(sync(), "---\n", "sops:\n  mac: ENC["+secret+"]\n---\n", 1)},
			checkout: refuses("SOPS has encrypted and signed this object"), function: refuses("SOPS has encrypted and signed this object")},
	}
}

// install is the classic install with more in its spec.
func install(more string) string {
	return "apiVersion: source.toolkit.fluxcd.io/v1beta2\nkind: OCIRepository\nmetadata:\n  name: flux-manifests\n  namespace: flux-system\n" +
		"spec:\n  interval: 12h\n  url: oci://ghcr.io/fluxcd/flux-manifests\n  ref:\n    tag: v2.6.4\n---\n" +
		strings.Replace(kustomization, "name: x", "name: flux", 1) + "spec:\n  interval: 1h\n  path: ./\n  prune: true\n  sourceRef:\n    kind: OCIRepository\n    name: flux-manifests\n" + more
}

// sync is the sync pair of the repository.
func sync() string {
	return "apiVersion: source.toolkit.fluxcd.io/v1\nkind: GitRepository\nmetadata:\n  name: flux-system\n  namespace: flux-system\n" +
		"spec:\n  interval: 5m\n  url: ssh://git@github.com/example/fleet\n  ref:\n    branch: main\n---\n" + app("flux-system", "./cluster") + "  interval: 10m\n"
}

// secretText is a Secret with these values.
func secretText(values string) string {
	return "apiVersion: v1\nkind: Secret\nmetadata:\n  name: x\n  namespace: flux-system\nstringData:\n" + values
}

// syncWithSecret is the sync pair with a Secret before, between and behind.
func syncWithSecret() string {
	hidden := secretText("  x: " + secret + "\n")
	return hidden + "---\n" + strings.Replace(sync(), "---\n", "---\n"+strings.Replace(hidden, "name: x", "name: y", 1)+"---\n", 1) + "---\n" +
		strings.Replace(hidden, "name: x", "name: z", 1)
}

// TestHostileInput runs every input of the list in both ways.
func TestHostileInput(t *testing.T) {
	if testing.Short() {
		t.Skip("skipped: what each input costs takes minutes")
	}
	for _, in := range inputs() {
		t.Run(in.name, func(t *testing.T) {
			t.Run("checkout", func(t *testing.T) { onCheckout(t, in) })
			if in.function != notGiven {
				t.Run("function", func(t *testing.T) { asFunction(t, in) })
			}
		})
	}
}

// onCheckout plans, shows and applies: bounded, clean, and either everything or nothing.
func onCheckout(t *testing.T, in input) {
	dir := repository(t, in.files, in.links)
	before := state(t, dir)
	if in.costly {
		apply := execute(t, "", "apply", dir)
		clean(t, "apply", apply.all())
		hold(t, in.checkout, apply, 2)
		if !maps.Equal(before, state(t, dir)) {
			t.Error("apply was refused and changed files")
		}
		return
	}
	plan := execute(t, "", "plan", dir, "--verbose")
	clean(t, "plan", plan.all())
	hold(t, in.checkout, plan, 2)
	for _, args := range [][]string{{"plan", dir, "--output", "json"}, {"plan", dir, "--output", "yaml"}, {"plan", dir, "--report", "-"}, {"inventory", dir},
		{"inventory", dir, "--output", "text"}, {"inventory", dir, "--output", "json"}} {
		clean(t, strings.Join(args, " "), execute(t, "", args...).all())
	}
	diff := execute(t, "", "diff", dir)
	commandless(t, "diff", diff.all())
	if strings.Contains(diff.all(), secret) {
		t.Errorf("diff shows a secret:\n%.3000s", diff.all())
	}
	if !maps.Equal(before, state(t, dir)) {
		t.Fatal("plan, diff or inventory changed files")
	}
	apply := execute(t, "", "apply", dir)
	clean(t, "apply", apply.all())
	hold(t, answer{refused: in.checkout.refused}, apply, 2)
	after := state(t, dir)
	if in.checkout.refused {
		if !maps.Equal(before, after) {
			t.Error("apply was refused and changed files")
		}
		return
	}
	other := repository(t, in.files, in.links)
	gitApply(t, other, diff.out)
	if !maps.Equal(after, state(t, other)) {
		t.Errorf("git apply of the diff is not apply:\n%.3000s", diff.out)
	}
}

// hold compares what a run did with what it was to do.
func hold(t *testing.T, want answer, got said, refusedCode int) {
	t.Helper()
	if refused := got.code != 0; refused != want.refused || refused && got.code != refusedCode {
		t.Errorf("exit code %d\n%.1000s\n%.2000s", got.code, got.errOut, got.out)
	}
	// A message is in lines for a terminal.
	words := func(text string) string { return strings.Join(strings.Fields(text), " ") }
	if !strings.Contains(words(got.all()), words(want.says)) {
		t.Errorf("does not say %q:\n%.1000s\n%.2000s", want.says, got.errOut, got.out)
	}
}

// gitApply applies a diff with git.
func gitApply(t *testing.T, dir, diff string) {
	t.Helper()
	git := exec.Command("git", "apply", "--whitespace=nowarn")
	git.Dir, git.Stdin = dir, strings.NewReader(diff)
	git.Env = append(os.Environ(), "GIT_CEILING_DIRECTORIES="+filepath.Dir(dir))
	if out, err := git.CombinedOutput(); err != nil {
		t.Errorf("git apply: %v\n%s", err, out)
	}
}

// asFunction runs the function on a ResourceList of the same objects. Its items may hold secrets, what it says may not.
func asFunction(t *testing.T, in input) {
	got := execute(t, resourceList(t, in.files))
	hold(t, in.function, got, 1)
	clean(t, "stderr", got.errOut)
	_, results, _ := strings.Cut(got.out, "\nresults:\n")
	clean(t, "results", results)
	if in.function.refused && strings.Contains(got.out, "kind: FluxInstance") {
		t.Error("refused, and made a FluxInstance")
	}
}

// resourceList is the repository as a function gets it. Documents are put in as they are.
func resourceList(t *testing.T, more map[string]string) string {
	files := map[string]string{}
	for name, content := range state(t, filepath.Join("..", "..", "testdata", "deploy", "input")) {
		files[name] = content[len("-rw-r--r--"):]
	}
	maps.Copy(files, more)
	var list strings.Builder
	list.WriteString("apiVersion: config.kubernetes.io/v1\nkind: ResourceList\nitems:\n")
	for _, name := range slices.Sorted(maps.Keys(files)) {
		for i, doc := range strings.Split(strings.TrimPrefix(files[name], "---\n"), "\n---\n") {
			annotated := strings.Replace(doc, "metadata:\n", fmt.Sprintf("metadata:\n  annotations: {config.kubernetes.io/path: '%s', config.kubernetes.io/index: '%d'}\n", name, i), 1)
			list.WriteString("- " + strings.ReplaceAll(strings.TrimSpace(annotated), "\n", "\n  ") + "\n")
		}
	}
	return list.String()
}

// table is where the list is documented.
const table = "../../docs/hostile-input.md"

// TestTable holds the documented list against the tested one.
func TestTable(t *testing.T) {
	document, err := os.ReadFile(table)
	if err != nil {
		t.Fatal(err)
	}
	const start, end = "<!-- table -->\n", "<!-- end of table -->\n"
	before, rest, found := strings.Cut(string(document), start)
	_, after, closed := strings.Cut(rest, end)
	if !found || !closed {
		t.Fatalf("%s has no place for the table", table)
	}
	want := before + start + rows() + end + after
	if *update {
		if err := os.WriteFile(table, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	} else if want != string(document) {
		t.Errorf("%s is not what is tested: go test ./fn/hostile -run TestTable -update", table)
	}
}

// rows are the list as a table.
func rows() string {
	out := "| input | on a checkout | as a function |\n|---|---|---|\n"
	for _, in := range inputs() {
		out += fmt.Sprintf("| %s | %s | %s |\n", in.name, in.checkout.cell(), in.function.cell())
	}
	return out
}

// cell is an answer as the table tells it.
func (a answer) cell() string {
	switch {
	case a == notGiven:
		return "-"
	case a.refused:
		return "refused: " + cmp.Or(a.says, "nothing is written")
	}
	return strings.TrimSuffix("migrates the rest: "+a.says, ": ")
}
