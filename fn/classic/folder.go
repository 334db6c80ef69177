package classic

import (
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"migrate-to-flux-operator/fn/config"
	"migrate-to-flux-operator/fn/object"
)

// Folder is a kustomization.yaml: what it lists and what it does to it.
type Folder struct {
	Object *object.Object
	Dir    string
	// Files are the files that it lists, Folders the folders and remote bases but for that of Flux itself.
	Files, Folders []string
	// Patches are its patches of every form, in the order in which kustomize applies them.
	Patches []Patch
	// Fields are what else it does: images, labels, namespace, replicas and the like.
	Fields map[string]any
}

// shapingFields change objects and need no file. Source: kustomize.config.k8s.io/v1beta1 of kustomize v5.8.
var shapingFields = []string{"namespace", "namePrefix", "nameSuffix", "labels", "commonLabels", "commonAnnotations",
	"images", "replicas", "replacements"}

// foreignFields read files in ways that this package does not follow.
var foreignFields = []string{"transformers", "configurations", "openapi", "vars", "imageTags"}

// KustomizationIn returns the kustomization.yaml of a folder, nil when it has none.
func KustomizationIn(set *object.Set, dir string) *object.Object {
	type key struct{}
	known := object.Until(set, key{}, func(*object.Set) map[string]*object.Object { return map[string]*object.Object{} })
	k, met := known[dir]
	if !met {
		k = kustomizationIn(set, dir)
		known[dir] = k
	}
	return k
}

func kustomizationIn(set *object.Set, dir string) *object.Object {
	prefix := path.Clean(dir) + "/"
	if prefix == "./" {
		prefix = ""
	}
	for _, name := range KustomizationFiles {
		if found := set.InFile(prefix + name); len(found) > 0 {
			return found[0]
		}
	}
	return nil
}

// ReadFolder reads the kustomization.yaml of a folder, nil when it has none.
//
// It fails on a patch file that is not in the input and on what it cannot follow, naming the field.
func ReadFolder(set *object.Set, dir string) (*Folder, error) {
	k := KustomizationIn(set, dir)
	if k == nil {
		return nil, nil
	}
	folder := &Folder{Object: k, Dir: dir, Fields: map[string]any{}}
	for _, field := range foreignFields {
		if _, isSet := k.Map()[field]; isSet {
			if file := ownTransformer(set, dir, TextsIn(k.Map(), field)); file != "" {
				return nil, fmt.Errorf("field %s lists %s, which runs this program: take its entry out, and give that "+
					"file to the commands with --config", field, file)
			}
			return nil, fmt.Errorf("field %s cannot be followed: inline what it does as patches first", field)
		}
	}
	for _, field := range shapingFields {
		if value, set := k.Map()[field]; set {
			folder.Fields[field] = value
		}
	}
	folder.readEntries(set)
	return folder, folder.readPatches(set)
}

// ownTransformer is the first of the files which is a function config of this program; empty where none is.
func ownTransformer(set *object.Set, dir string, entries []string) string {
	for _, entry := range entries {
		file := path.Join(dir, entry)
		if slices.ContainsFunc(set.InFile(file), func(o *object.Object) bool { return o.Kind == config.Kind }) {
			return file
		}
	}
	return ""
}

func (f *Folder) readEntries(set *object.Set) {
	for _, field := range []string{"resources", "bases", "crds"} {
		for _, entry := range TextsIn(f.Object.Map(), field) {
			file := path.Join(f.Dir, entry)
			switch {
			case IsRemoteBase(entry): // the install itself
			case len(set.InFile(file)) > 0:
				f.Files = append(f.Files, file)
			default:
				f.Folders = append(f.Folders, file)
			}
		}
	}
}

// Lists reports whether the kustomization.yaml names a file.
func (f *Folder) Lists(file string) bool { return f != nil && slices.Contains(f.Files, file) }

// Is reports whether two are the kustomization.yaml of one folder.
func (f *Folder) Is(other *Folder) bool { return f != nil && f.Dir == other.Dir }

// Guarded reports whether a patch puts the guard against pruning on everything that the kustomization.yaml applies.
func (f *Folder) Guarded() bool {
	return f != nil && slices.ContainsFunc(f.Patches, Patch.IsGuard)
}

// readPatches reads patchesStrategicMerge, patches and patchesJson6902, in this order.
func (f *Folder) readPatches(set *object.Set) error {
	merges, _ := object.Get[[]any](f.Object.Map(), "patchesStrategicMerge")
	for i, entry := range merges {
		text, _ := entry.(string)
		patch := Patch{Body: text, Object: f.Object, Field: fmt.Sprintf("patchesStrategicMerge[%d]", i)}
		if !strings.Contains(strings.TrimSpace(text), "\n") {
			patch.File = text
		}
		if err := f.add(set, patch); err != nil {
			return err
		}
	}
	for _, field := range []string{"patches", "patchesJson6902"} {
		if _, there := f.Object.Map()[field]; !there && f.Object.Check() == nil {
			continue // and its tree with comments need not be made
		}
		patches, err := listOf(f.Object, field)
		if err != nil {
			return fmt.Errorf("field %s: %w", field, err)
		}
		for _, patch := range patches {
			if err := f.add(set, patch); err != nil {
				return err
			}
		}
	}
	return nil
}

// add reads the patch's file, if it has one, and gives the patch a target.
func (f *Folder) add(set *object.Set, patch Patch) error {
	if patch.File != "" {
		body, err := f.read(set, patch.File)
		if err != nil {
			return fmt.Errorf("field %s: %w", patch.Field, err)
		}
		patch.File = path.Join(f.Dir, patch.File)
		patch = patch.With(body, patch.Target)
	}
	documents, err := targeted(patch)
	if err != nil {
		return fmt.Errorf("field %s: %w", patch.Field, err)
	}
	f.Patches = append(f.Patches, documents...)
	return nil
}

func (f *Folder) read(set *object.Set, file string) (string, error) {
	if set.Read != nil {
		if content, found := set.Read(path.Join(f.Dir, file)); found {
			return string(content), nil
		}
	}
	return "", fmt.Errorf("the patch file %s is not in the input: correct the path, or run on the whole folder; kpt "+
		"hands on no file that is a list of operations and not an object: inline such a patch, or use the commands "+
		"on the checkout (migrate-to-flux-operator plan DIR)", file)
}

// shapeOf are patches and fields as a kustomization that needs no files.
func shapeOf(patches []Patch, fields map[string]any) map[string]any {
	shape := maps.Clone(fields)
	if shape == nil {
		shape = map[string]any{}
	}
	shape["patches"] = Entries(patches)
	return shape
}

// Entries are patches as the patches of a kustomization.yaml.
func Entries(patches []Patch) []any {
	var entries []any
	for _, patch := range patches {
		entry := map[string]any{"patch": patch.Body}
		if len(patch.Target) > 0 {
			entry["target"] = patch.Target
		}
		if len(patch.Options) > 0 {
			entry["options"] = patch.Options
		}
		entries = append(entries, entry)
	}
	return entries
}
