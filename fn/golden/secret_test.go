package golden

import (
	"bytes"
	"context"
	"encoding/base64"
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"migrate-to-flux-operator/fn/command"
)

// marker stands for every value that nothing may show. It could be a name.
const marker = "zq7xw9kvj3hd5mtp"

// traces are what of the marker may not be in an output: eight characters of it, in clear or as Base64.
var traces = func() (all []string) {
	parts := []string{marker}
	for _, before := range []string{"", "-", "--"} { // Base64 depends on what comes before
		encoded := base64.RawStdEncoding.EncodeToString([]byte(before + marker))
		parts = append(parts, encoded[len(before)+1:len(encoded)-1])
	}
	for _, part := range parts {
		for at := range len(part) - 7 {
			all = append(all, part[at:at+8])
		}
	}
	return all
}()

// traceIn is what of the marker is in a text, with what is around it; empty where nothing is.
func traceIn(text string) string {
	for _, trace := range traces {
		if at := strings.Index(text, trace); at >= 0 {
			return text[max(0, at-200):min(len(text), at+100)]
		}
	}
	return ""
}

// saidOf is all that the commands and the function say about files, but for the function's items. The live objects go
// into a file.
func saidOf(t testing.TB, files tree, config []byte, live string, ways []string) map[string]string {
	t.Helper()
	above := t.TempDir()
	dir, configFile, liveFile := filepath.Join(above, "repository"), filepath.Join(above, "config"), filepath.Join(above, "live.yaml")
	files.write(t, dir)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string]string{configFile: string(config), liveFile: live} {
		if err := os.WriteFile(name, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	all := map[string]string{}
	for _, way := range ways {
		if way == "function" {
			all[way] = saidByFunction(files, config)
			continue
		}
		args := strings.Fields(way)
		args = slices.Insert(args, 1, dir)
		if args[0] != "inventory" {
			args = append(args, "--config", configFile)
		}
		if live != "" && args[0] != "inventory" {
			args = append(args, "--live", liveFile)
		}
		var out bytes.Buffer
		all[way] = withStderr(t, func() { command.Execute(context.Background(), args, strings.NewReader(""), &out, &out) }) + out.String()
	}
	return all
}

// withStderr runs work and returns what libraries print past this program.
func withStderr(t testing.TB, work func()) string {
	t.Helper()
	file, err := os.CreateTemp(t.TempDir(), "stderr")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	was := os.Stderr
	os.Stderr = file
	defer func() { os.Stderr = was }()
	work()
	content, err := os.ReadFile(file.Name())
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

// saidByFunction is what the function says about files that may be no YAML: they go into the list as they are.
func saidByFunction(files tree, config []byte) string {
	var list strings.Builder
	list.WriteString("apiVersion: config.kubernetes.io/v1\nkind: ResourceList\n")
	if len(config) > 0 {
		list.WriteString("functionConfig:\n  " + strings.ReplaceAll(strings.TrimSpace(string(config)), "\n", "\n  ") + "\n")
	}
	list.WriteString("items:\n")
	for _, name := range slices.Sorted(maps.Keys(files)) {
		for i, doc := range strings.Split(strings.TrimPrefix(files[name], "---\n"), "\n---\n") {
			at := fmt.Sprintf("metadata:\n  annotations: {config.kubernetes.io/path: '%s', config.kubernetes.io/index: '%d'}\n", name, i)
			list.WriteString("- " + strings.ReplaceAll(strings.TrimSpace(strings.Replace(doc, "metadata:\n", at, 1)), "\n", "\n  ") + "\n")
		}
	}
	got := run([]byte(list.String()))
	_, results, _ := strings.Cut(got.text, "\nresults:\n")
	return fmt.Sprint(got.err, "\n", results)
}

// everyWay are all ways to run the program on a repository.
var everyWay = []string{"plan", "plan --output json", "plan --output yaml", "plan --report -", "diff", "apply --dry-run", "check", "inventory", "inventory --output text",
	"inventory --output json", "verify", "verify --output json", "function"}

// TestCasesShowNothing puts the marker in the place of every value of every Secret, generator and SOPS object of the
// cases.
func TestCasesShowNothing(t *testing.T) {
	planted := 0
	for i, name := range caseNames(t, "testdata") {
		dir := filepath.Join(root, "testdata", name)
		if read(t, dir, inputFile) != nil {
			continue
		}
		files := inputOf(t, dir)
		before := planted
		for _, file := range slices.Sorted(maps.Keys(files)) {
			files[file] = plant(files[file], &planted)
		}
		if planted == before {
			continue
		}
		ways := everyWay
		if testing.Short() { // one way for each case, and each way for some
			ways = ways[i%len(ways):][:1]
		}
		for way, text := range saidOf(t, files, read(t, dir, configFile), "", ways) {
			if trace := traceIn(text); trace != "" {
				t.Errorf("%s: %s shows a value: ...%s...", name, way, trace)
			}
		}
	}
	if planted < 30 {
		t.Errorf("only %d values were planted", planted)
	}
}

// plant puts the marker into the documents of a file, and counts.
func plant(text string, planted *int) string {
	if strings.HasSuffix(strings.TrimSpace(text), "}") && !strings.HasPrefix(strings.TrimSpace(text), "{") {
		return text
	}
	before := *planted
	var out bytes.Buffer
	encoder := yaml.NewEncoder(&out)
	decoder := yaml.NewDecoder(strings.NewReader(text))
	for {
		var document yaml.Node
		if err := decoder.Decode(&document); err != nil {
			break
		}
		plantInto(&document, planted)
		if encoder.Encode(&document) != nil {
			return text
		}
	}
	if *planted == before {
		return text
	}
	return out.String()
}

// plantInto puts the marker into the values below a node that are secret.
func plantInto(n *yaml.Node, planted *int) {
	for i, child := range n.Content {
		key := ""
		if n.Kind == yaml.MappingNode && i%2 == 1 {
			key = n.Content[i-1].Value
		}
		switch {
		case key == "stringData", key == "data" && isKind(n, "Secret"):
			setAll(child, key == "data", planted)
		case key == "literals":
			for _, literal := range child.Content {
				name, _, _ := strings.Cut(literal.Value, "=")
				literal.SetString(name + "=" + marker)
				*planted++
			}
		case child.Kind == yaml.ScalarNode && strings.HasPrefix(child.Value, "ENC["):
			child.SetString("ENC[AES256_GCM,data:" + marker + "]")
			*planted++
		default:
			plantInto(child, planted)
		}
	}
}

// setAll makes every scalar below a node the marker.
func setAll(n *yaml.Node, encoded bool, planted *int) {
	for i, child := range n.Content {
		switch {
		case n.Kind == yaml.MappingNode && i%2 == 0:
		case child.Kind != yaml.ScalarNode:
			setAll(child, encoded, planted)
		case encoded:
			child.SetString(base64.StdEncoding.EncodeToString([]byte(marker)))
			*planted++
		default:
			child.SetString(marker)
			*planted++
		}
	}
}

func isKind(n *yaml.Node, kind string) bool {
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == "kind" {
			return n.Content[i+1].Value == kind
		}
	}
	return false
}

// The pieces that a random repository is made of. @ is the marker, @@ its Base64; the first line of each is where it
// goes, and + adds it to what is there as one more document.
var pieces = []string{
	"apps/secret.yaml\napiVersion: v1\nkind: Secret\nmetadata:\n  name: s\n  namespace: default\nstringData:\n  password: @\n  more: \"x @\"\ndata:\n  token: @@\n",
	"apps/list.yaml\napiVersion: v1\nkind: List\nitems:\n- apiVersion: v1\n  kind: Secret\n  metadata: {name: l, namespace: default}\n  data: {token: @@}\n- apiVersion: v1\n  kind: ConfigMap\n  metadata: {name: c, namespace: default}\n",
	"apps/json.json\n{\"apiVersion\": \"v1\", \"kind\": \"Secret\", \"metadata\": {\"name\": \"j\", \"namespace\": \"default\"}, \"stringData\": {\"password\": \"@\"}}\n",
	"apps/escaped.yaml\n\"apiVersion\": v1\n\"\\x6bind\": \"\\x53ecret\"\nmetadata:\n  name: e\n  namespace: default\nstringData:\n  password: \"@\"\n",
	"apps/anchored.yaml\napiVersion: v1\nkind: Secret\nmetadata:\n  name: a\n  namespace: default\nstringData:\n  one: &one @\n  two: *one\n",
	"apps/sops.yaml\napiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: sops\n  namespace: default\ndata:\n  password: ENC[AES256_GCM,data:@,iv:x,type:str]\nsops:\n  mac: ENC[AES256_GCM,data:@,type:str]\n",
	"apps/applied.yaml\napiVersion: v1\nkind: Secret\nmetadata:\n  name: last\n  namespace: default\n  annotations:\n    kubectl.kubernetes.io/last-applied-configuration: '{\"kind\":\"Secret\",\"stringData\":{\"password\":\"@\"}}'\nstringData:\n  password: |\n    line\n    @\n",
	"+cluster/sync.yaml\napiVersion: v1\nkind: Secret\nmetadata:\n  name: flux-system\n  namespace: flux-system\nstringData:\n  identity: |\n    @\n    @\n  known_hosts: x @\n",
	"+cluster/sync.yaml\n{\"kind\": \"Secret\", \"apiVersion\": \"v1\", \"metadata\": {\"name\": \"in-json\", \"namespace\": \"flux-system\"}, \"data\": {\"password\": \"@@\"}}\n",
	"+clusters/prod/flux-system/gotk-sync.yaml\napiVersion: v1\nkind: Secret\nmetadata:\n  name: flux-system\n  namespace: flux-system\ndata:\n  identity: @@\n",
	"+clusters/prod/flux-system/gotk-components.yaml\napiVersion: v1\nkind: Secret\nmetadata:\n  name: pull\n  namespace: flux-system\ndata:\n  .dockerconfigjson: @@\n",
	"apps/kustomization.yaml\nresources:\n- secret.yaml\nsecretGenerator:\n- name: g\n  namespace: default\n  literals:\n  - password=@\n  - \"more=x @\"\n  envs:\n  - values.env\nconfigMapGenerator:\n- name: h\n  literals: [password=@]\n  files:\n  - key.txt\n",
	"apps/kustomization.yaml\nsecretGenerator:\n- name: g\n  literals:\n  - @\n",
	"apps/kustomization.yaml\nsecretGenerator:\n- name: g\n  literals: {password: @}\n",
	"apps/values.env\nPASSWORD=@\nTOKEN=x @\n",
	"apps/values.env\n@\n\xff@=x\n",
	"apps/key.txt\n@\n",
	"apps/kustomization.yaml\nresources: [secret.yaml]\npatches:\n- patch: |\n    apiVersion: v1\n    kind: Secret\n    metadata:\n      name: none\n      namespace: default\n    stringData:\n      password: @\n- target:\n    kind: Secret\n  patch: |\n    - op: test\n      path: /stringData/password\n      value: @x\n- path: patch.yaml\n",
	"apps/kustomization.yaml\nresources: [secret.yaml]\npatchesStrategicMerge:\n- '{\"apiVersion\": \"v1\", \"kind\": \"Secret\", \"metadata\": {\"name\": \"s\", \"namespace\": \"default\"}, \"stringData\": {\"password\": \"@\"}}'\n- |\n  apiVersion: v1\n  kind: Secret\n  metadata: {name: s}\n  stringData: {password: @}\npatchesJson6902:\n- target: {version: v1, kind: Secret, name: s}\n  patch: '[{\"op\": \"replace\", \"path\": \"/stringData/none\", \"value\": \"@\"}]'\n",
	"apps/kustomization.yaml\nresources: [secret.yaml]\ngenerators:\n- |\n  apiVersion: builtin\n  kind: SecretGenerator\n  metadata:\n    name: plugin\n  literals:\n  - password=@\ntransformers:\n- |\n  apiVersion: builtin\n  kind: PatchTransformer\n  metadata:\n    name: plugin\n  target: {kind: Secret}\n  patch: '[{\"op\": \"add\", \"path\": \"/stringData/x\", \"value\": \"@\"}]'\n",
	"apps/patch.yaml\napiVersion: v1\nkind: Secret\nmetadata:\n  name: s\n  namespace: default\nstringData:\n  password: @\n",
	"apps/patch.yaml\n- op: replace\n  path: /stringData/password\n  value: @\n",
	"apps/vars.yaml\napiVersion: v1\nkind: Secret\nmetadata:\n  name: vars\n  namespace: flux-system\nstringData:\n  secret_name: @\n",
	"cluster/more.yaml\napiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata:\n  name: more\n  namespace: flux-system\nspec:\n  interval: 10m\n  path: ./more/${secret_name}\n  prune: true\n  sourceRef:\n    kind: GitRepository\n    name: flux-system\n  patches:\n  - target:\n      kind: Secret\n    patch: |\n      - op: add\n        path: /stringData/password\n        value: @\n  - patch: |\n      apiVersion: v1\n      kind: Secret\n      metadata:\n        name: s\n        namespace: default\n      stringData:\n        password: @\n  postBuild:\n    substituteFrom:\n    - kind: Secret\n      name: vars\n",
	"cluster/apps.yaml\napiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata:\n  name: apps\n  namespace: flux-system\nspec:\n  interval: 10m\n  path: ./apps\n  prune: true\n  sourceRef:\n    kind: GitRepository\n    name: flux-system\n  patches:\n  - target:\n      kind: Secret\n    patch: |\n      - op: replace\n        path: /stringData/none\n        value: @\n  postBuild:\n    substituteFrom:\n    - kind: Secret\n      name: vars\n",
	"apps/named.yaml\napiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: x-${secret_name}\n  namespace: default\n  labels:\n    a: ${secret_name:0:10}\n---\napiVersion: ${secret_name}\nkind: ConfigMap\nmetadata:\n  name: ${secret_name/a/b}-${secret_name:=x\n",
	"cluster/kustomization.yaml\nresources:\n- sync.yaml\n- flux.yaml\n- apps.yaml\nsecretGenerator:\n- name: flux-system\n  namespace: flux-system\n  literals:\n  - password=@\n",
	"clusters/prod/flux-system/kustomization.yaml\napiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nresources:\n- gotk-components.yaml\n- gotk-sync.yaml\nsecretGenerator:\n- name: values\n  namespace: flux-system\n  literals:\n  - password=@\npatches:\n- target:\n    kind: Deployment\n  patch: |\n    - op: add\n      path: /metadata/labels/a\n      value: b\n- patch: |\n    apiVersion: v1\n    kind: Secret\n    metadata:\n      name: flux-system\n      namespace: flux-system\n    stringData:\n      password: @\n",
	"cluster/release.yaml\napiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nmetadata:\n  name: podinfo\n  namespace: default\nspec:\n  chart:\n    spec:\n      chart: podinfo\n      sourceRef: {kind: HelmRepository, name: podinfo}\n  valuesFrom:\n  - kind: Secret\n    name: vars\n  postRenderers:\n  - kustomize:\n      patches:\n      - target: {kind: Secret}\n        patch: |\n          - op: add\n            path: /data/password\n            value: @@\n",
	"cluster/instance.yaml\napiVersion: fluxcd.controlplane.io/v1\nkind: FluxInstance\nmetadata:\n  name: flux\n  namespace: flux-system\nspec:\n  distribution:\n    version: 2.6.x\n    registry: ghcr.io/fluxcd\n  kustomize:\n    patches:\n    - target: {kind: Secret}\n      patch: |\n        - op: add\n          path: /stringData/password\n          value: @\n",
	"apps/flux/app/secret.yaml\napiVersion: v1\nkind: Secret\nmetadata:\n  name: flux-values\n  namespace: flux-system\nstringData:\n  values.yaml: |\n    multitenancy:\n      enabled: @\n",
}

// snapshots are what kubectl may print of a cluster.
var snapshots = []string{
	"", "apiVersion: v1\nkind: Secret\nmetadata:\n  name: s\nstringData:\n  password: @\n",
	"apiVersion: v1\nkind: List\nitems:\n- apiVersion: v1\n  kind: Secret\n  metadata: {name: s, namespace: flux-system}\n  data:\n    password: @@\n- apiVersion: kustomize.toolkit.fluxcd.io/v1\n  kind: Kustomization\n  metadata: {name: flux-system, namespace: flux-system}\n  status: {inventory: {entries: []}}\n",
}

// repositories are the cases that a random repository starts from.
var repositories = []string{"deploy", "bootstrap-deploy", "flux2-chart", "cleanup", "bootstrap-cleanup"}

// random makes a repository of pieces, and breaks one of them.
func random(t testing.TB, r *rand.Rand) (files tree, config []byte, live string) {
	base := repositories[r.IntN(len(repositories))]
	files, config = inputOf(t, filepath.Join(root, "testdata", base)), read(t, filepath.Join(root, "testdata", base), configFile)
	filled := strings.NewReplacer("@@", base64.StdEncoding.EncodeToString([]byte(marker)), "@", marker)
	for range 2 + r.IntN(8) {
		name, text, _ := strings.Cut(pieces[r.IntN(len(pieces))], "\n")
		text = filled.Replace(text)
		for range max(0, r.IntN(5)-2) {
			text = breakAt(r, text)
		}
		name, adds := strings.CutPrefix(name, "+")
		if strings.HasPrefix(base, "bootstrap") {
			name = strings.Replace(name, "cluster/", "clusters/prod/", 1)
		}
		switch there, known := files[name]; {
		case adds && !known:
			continue
		case adds && r.IntN(2) == 0:
			text += "---\n" + there
		case adds:
			text = there + "---\n" + text
		}
		files[name] = text
		if r.IntN(8) == 0 { // everything in one file, and in one folder
			files[path.Dir(name)+"/all.yaml"] += "---\n" + text
		}
	}
	if live = filled.Replace(snapshots[r.IntN(len(snapshots))]); r.IntN(2) == 0 {
		live = breakAt(r, live)
	}
	return files, config, live
}

// breakAt breaks a text as people and attackers do.
func breakAt(r *rand.Rand, text string) string {
	lines := strings.SplitAfter(text, "\n")
	at := r.IntN(len(lines))
	line := lines[at]
	key, _, _ := strings.Cut(line, ":")
	switch r.IntN(16) {
	case 0:
		return text[:r.IntN(len(text)+1)]
	case 1:
		lines[at] = line + line
	case 2:
		lines[at] = "\t" + line
	case 3:
		lines[at] = " " + line
	case 4:
		lines[at] = strings.TrimPrefix(line, "  ")
	case 5:
		lines[at] = strings.Replace(line, ": ", ": [", 1)
	case 6:
		lines[at] = strings.Replace(line, ": ", ": !!int ", 1)
	case 7:
		lines[at] = strings.Replace(line, ": ", ": \"\\q", 1)
	case 8:
		lines[at] = strings.Replace(line, ": ", ": *", 1)
	case 9:
		lines[at] = strings.Replace(line, ": ", ": &a ", 1)
	case 10:
		lines[at] = strings.Replace(line, ":", "", 1)
	case 11:
		lines[at] = strings.Replace(line, ": ", ":\n"+strings.Repeat(" ", len(key))+"- ", 1)
	case 12:
		lines[at] = strings.Replace(line, ": ", ": {a: ", 1)
	case 13:
		lines[at] = strings.Replace(line, ": ", ": !!binary ", 1)
	case 14:
		if !slices.Contains([]string{"name", "namespace", "kind", "apiVersion", "path", "chart"}, strings.Trim(key, " -")) { // which are shown, whatever they swallow
			lines[at] = strings.Replace(line, ": ", ": |\n", 1)
		}
	default:
		return text[:at] + string(rune(r.IntN(300))) + text[at:]
	}
	return strings.Join(lines, "")
}

// showsNothing holds that a random repository's secrets are in nothing that is said of it.
func showsNothing(t *testing.T, seed uint64) {
	r := rand.New(rand.NewPCG(seed, 4711))
	files, config, live := random(t, r)
	ways := []string{"plan --output json", "diff", "inventory --output json", everyWay[r.IntN(len(everyWay))], everyWay[r.IntN(len(everyWay))]}
	for way, text := range saidOf(t, files, config, live, slices.Compact(slices.Sorted(slices.Values(ways)))) {
		if trace := traceIn(text); trace != "" {
			t.Errorf("seed %d: %s shows a value: ...%s...", seed, way, trace)
		}
		if strings.Contains(text, "internal error") {
			t.Errorf("seed %d: %s: %s", seed, way, text)
		}
	}
}

// seeds is how many random repositories are tried.
var seeds = flag.Uint64("seeds", 40, "how many random repositories TestNothingIsShown breaks")

// TestNothingIsShown is the fuzz target below on some seeds.
func TestNothingIsShown(t *testing.T) {
	tried := *seeds
	if testing.Short() {
		tried = min(tried, 4)
	}
	for seed := range tried {
		showsNothing(t, seed)
	}
}

// FuzzNothingIsShown breaks random repositories that are full of secrets.
func FuzzNothingIsShown(f *testing.F) {
	f.Fuzz(showsNothing)
}
