package live

import (
	"cmp"
	"fmt"
	"hash/fnv"
	"maps"
	"math/rand/v2"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"
)

// The formats of what is changed by chance.
const (
	pruneKey  = "kustomize.toolkit.fluxcd.io/prune"
	fluxKinds = "kustomize.toolkit.fluxcd.io/"
)

// chance is what decides a commit: the same for a seed, a repository and a number.
func chance(seed uint64, repository string, n int) *rand.Rand {
	sum := fnv.New64()
	fmt.Fprint(sum, repository, n)
	return rand.New(rand.NewPCG(seed, sum.Sum64()))
}

// documents are the YAML documents of a file.
func documents(content string) []string {
	return strings.Split("\n"+content, "\n---")
}

// decoded is a document as a map; nil where it is none.
func decoded(document string) map[string]any {
	var content map[string]any
	if yaml.Unmarshal([]byte(document), &content) != nil {
		return nil
	}
	return content
}

// rewritten is a file with each document that change changes written anew.
func rewritten(content string, change func(map[string]any) bool) string {
	all := documents(content)
	for n, document := range all {
		if read := decoded(document); read != nil && change(read) {
			written, err := yaml.Marshal(read)
			if err != nil {
				panic(err) // it was YAML
			}
			all[n] = "\n" + string(written)
		}
	}
	return strings.TrimPrefix(strings.Join(all, "\n---"), "\n")
}

// isYAML reports whether a file can hold objects.
func isYAML(name string) bool {
	return slices.Contains([]string{".yaml", ".yml"}, path.Ext(name))
}

// servable is a repository that a cluster without a network can apply: its sources are fetched from here, by https and
// without a Secret, what is read from elsewhere is suspended, nothing waits for what does not run, and Secrets are what
// they are encrypted as.
func servable(t *testing.T, files tree, flux string) tree {
	t.Helper()
	made := tree{}
	for name, content := range files {
		if !isYAML(name) {
			continue
		}
		if path.Base(name) == "gotk-components.yaml" {
			made[name] = flux
			continue
		}
		made[name] = rewritten(content, serve)
	}
	return made
}

// serve changes one object for that.
func serve(o map[string]any) bool {
	group, _ := o["apiVersion"].(string)
	spec, _ := o["spec"].(map[string]any)
	_, encrypted := o["sops"]
	served := serving(group)
	o["apiVersion"] = served
	switch kind := o["kind"]; {
	case encrypted:
		delete(o, "sops")
		if data, found := o["data"]; found && kind == "Secret" {
			delete(o, "data")
			o["stringData"] = data
		}
	case spec == nil:
		return served != group
	case kind == "GitRepository":
		url, _ := spec["url"].(string)
		if at := strings.Index(url, "@"); at >= 0 {
			url = "https://" + strings.Replace(strings.Replace(url[at+1:], ":22", "", 1), ":", "/", 1)
		}
		spec["url"], spec["ref"], spec["interval"] = strings.Replace(url, "ssh://", "https://", 1), map[string]any{"branch": "main"}, "1h"
		for _, field := range []string{"secretRef", "verify", "provider"} {
			delete(spec, field)
		}
	case kind == "Kustomization" && strings.HasPrefix(group, fluxKinds):
		for _, field := range []string{"dependsOn", "wait", "healthChecks", "healthCheckExprs", "decryption"} {
			delete(spec, field)
		}
		spec["interval"], spec["retryInterval"] = "1h", "1h"
		if source, _ := spec["sourceRef"].(map[string]any); source["kind"] != "GitRepository" {
			spec["suspend"] = true
		}
		if build, _ := spec["postBuild"].(map[string]any); build != nil {
			from, _ := build["substituteFrom"].([]any)
			for _, one := range from {
				one.(map[string]any)["optional"] = true
			}
		}
	default:
		return served != group
	}
	return true
}

// serving is an API version of Flux in one that the newest Flux serves.
func serving(version string) string {
	group, old, _ := strings.Cut(version, "/")
	if !strings.HasSuffix(group, ".toolkit.fluxcd.io") || !strings.Contains(old, "beta") {
		return version
	}
	newest := map[string]string{"helm": "v2", "notification": "v1beta3"}[strings.TrimSuffix(group, ".toolkit.fluxcd.io")]
	return group + "/" + cmp.Or(newest, "v1")
}

// change changes the checkout by chance, until something is different, and says what was done.
func (h *held) change(t *testing.T, by *rand.Rand) string {
	t.Helper()
	kinds := []func(*testing.T, *rand.Rand, tree) string{
		h.dropEntry, h.dropEntry, h.dropFile, h.dropDocument, h.rename, h.renameOwner, h.moveFolder, h.togglePrune, h.setPolicy, h.guard, h.guard,
	}
	var done []string
	for range 100 {
		if len(done) > by.IntN(3) {
			break
		}
		files := h.files(t)
		before := maps.Clone(files)
		if what := kinds[by.IntN(len(kinds))](t, by, files); what != "" && !maps.Equal(before, files) {
			h.replace(t, files)
			done = append(done, what)
		}
	}
	return strings.Join(done, ", ")
}

// pick takes one of the files that inventory names as where an object is, but for those of Flux itself.
func (h *held) pick(t *testing.T, by *rand.Rand, fits func(kind string) bool) string {
	t.Helper()
	var names []string
	for _, entry := range h.ask(t).Inventory.Entries {
		name := entry.File
		if name != "" && fits(entry.Kind) && path.Base(name) != "gotk-components.yaml" && path.Base(name) != "gotk-sync.yaml" {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	names = slices.Compact(names)
	if len(names) == 0 {
		return ""
	}
	return names[by.IntN(len(names))]
}

func anyKind(string) bool { return true }

func isOwner(kind string) bool { return kind == "Kustomization" }

// listOf is the kustomization.yaml of a folder.
func listOf(files tree, folder string) string {
	for _, name := range []string{"kustomization.yaml", "kustomization.yml"} {
		if _, found := files[path.Join(folder, name)]; found {
			return path.Join(folder, name)
		}
	}
	return ""
}

// without takes an entry of resources out of a kustomization.yaml.
func dropFrom(files tree, list string, gone func(entry string) bool) (dropped string) {
	files[list] = rewritten(files[list], func(o map[string]any) bool {
		entries, _ := o["resources"].([]any)
		o["resources"] = slices.DeleteFunc(slices.Clone(entries), func(entry any) bool {
			name, _ := entry.(string)
			if dropped == "" && gone(name) {
				dropped = name
				return true
			}
			return false
		})
		return dropped != ""
	})
	return dropped
}

// dropEntry takes a random entry out of a kustomization.yaml.
func (h *held) dropEntry(t *testing.T, by *rand.Rand, files tree) string {
	list := listOf(files, path.Dir(h.pick(t, by, anyKind)))
	if list == "" {
		return ""
	}
	at := by.IntN(4)
	dropped := dropFrom(files, list, func(string) bool { at--; return at < 0 })
	return fmt.Sprintf("%s out of %s", dropped, list)
}

// dropFile deletes a file, and its entry.
func (h *held) dropFile(t *testing.T, by *rand.Rand, files tree) string {
	name := h.pick(t, by, anyKind)
	if name == "" {
		return ""
	}
	delete(files, name)
	if list := listOf(files, path.Dir(name)); list != "" {
		dropFrom(files, list, func(entry string) bool { return path.Clean(entry) == path.Base(name) })
	}
	return name + " deleted"
}

// edit changes the object of a file that chance picks.
func (h *held) edit(t *testing.T, by *rand.Rand, files tree, fits func(string) bool, change func(o map[string]any) bool) string {
	name := h.pick(t, by, fits)
	if name == "" {
		return ""
	}
	at, seen := by.IntN(3), 0
	before := files[name]
	for ; files[name] == before && at >= 0; at, seen = at-1, 0 {
		files[name] = rewritten(before, func(o map[string]any) bool {
			kind, _ := o["kind"].(string)
			group, _ := o["apiVersion"].(string)
			if !fits(kind) || isOwner(kind) && !strings.HasPrefix(group, fluxKinds) || kind == "" {
				return false
			}
			seen++
			return seen == at+1 && change(o)
		})
	}
	return name
}

// metadata is that of an object.
func metadata(o map[string]any) map[string]any {
	m, _ := o["metadata"].(map[string]any)
	if m == nil {
		m = map[string]any{}
	}
	return m
}

// dropDocument takes one object out of a file, or all that is in it.
func (h *held) dropDocument(t *testing.T, by *rand.Rand, files tree) string {
	return h.edit(t, by, files, anyKind, func(o map[string]any) bool {
		clear(o)
		o["apiVersion"], o["kind"], o["metadata"] = "v1", "ConfigMap", map[string]any{"name": fmt.Sprint("instead-", by.Uint32()), "namespace": fluxNamespace}
		return true
	}) + ": an object makes way for another"
}

// rename gives an object another name.
func (h *held) rename(t *testing.T, by *rand.Rand, files tree) string {
	return h.edit(t, by, files, func(kind string) bool { return !isOwner(kind) }, func(o map[string]any) bool {
		name, _ := metadata(o)["name"].(string)
		metadata(o)["name"] = name + "-2"
		return name != "" && o["kind"] != "CustomResourceDefinition"
	}) + ": an object renamed"
}

// renameOwner gives a Flux Kustomization another name.
func (h *held) renameOwner(t *testing.T, by *rand.Rand, files tree) string {
	return h.edit(t, by, files, isOwner, func(o map[string]any) bool {
		name, _ := metadata(o)["name"].(string)
		metadata(o)["name"] = name + "-2"
		return name != ""
	}) + ": a Flux Kustomization renamed"
}

// moveFolder moves the folder that a Flux Kustomization applies.
func (h *held) moveFolder(t *testing.T, by *rand.Rand, files tree) string {
	var from string
	name := h.edit(t, by, files, isOwner, func(o map[string]any) bool {
		spec, _ := o["spec"].(map[string]any)
		folder, _ := spec["path"].(string)
		if from = path.Clean(strings.TrimPrefix(folder, "./")); from == "." || strings.HasPrefix(h.name+"/", from+"/") {
			return false
		}
		spec["path"] = "./" + from + "-moved"
		return true
	})
	if name == "" || from == "" {
		return ""
	}
	for file, content := range maps.Clone(files) {
		if below, found := strings.CutPrefix(file, from+"/"); found {
			delete(files, file)
			files[filepath.ToSlash(path.Join(from+"-moved", below))] = content
		}
	}
	return from + " moved"
}

// togglePrune changes whether a Flux Kustomization prunes.
func (h *held) togglePrune(t *testing.T, by *rand.Rand, files tree) string {
	return h.edit(t, by, files, isOwner, func(o map[string]any) bool {
		spec, _ := o["spec"].(map[string]any)
		prune, _ := spec["prune"].(bool)
		spec["prune"] = !prune
		return true
	}) + ": prune toggled"
}

// setPolicy changes what becomes of what a Flux Kustomization applies, once it goes.
func (h *held) setPolicy(t *testing.T, by *rand.Rand, files tree) string {
	policy := []string{"MirrorPrune", "Delete", "WaitForTermination", "Orphan"}[by.IntN(4)]
	return h.edit(t, by, files, isOwner, func(o map[string]any) bool {
		spec, _ := o["spec"].(map[string]any)
		spec["deletionPolicy"] = policy
		return true
	}) + ": deletionPolicy " + policy
}

// guard annotates an object against pruning, or takes that away.
func (h *held) guard(t *testing.T, by *rand.Rand, files tree) string {
	value := []string{"disabled", "Disabled", "enabled"}[by.IntN(3)]
	return h.edit(t, by, files, anyKind, func(o map[string]any) bool {
		annotations, _ := metadata(o)["annotations"].(map[string]any)
		if annotations == nil {
			annotations = map[string]any{}
		}
		annotations[pruneKey] = value
		metadata(o)["annotations"] = annotations
		return true
	}) + ": guard " + value
}
