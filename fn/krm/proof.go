package krm

import (
	"io/fs"
	"path"
	"slices"
	"strings"
	"testing/fstest"

	"migrate-to-flux-operator/fn/classic"
	"migrate-to-flux-operator/fn/config"
	"migrate-to-flux-operator/fn/finding"
	"migrate-to-flux-operator/fn/object"
	"migrate-to-flux-operator/fn/proof"
)

// prove shows that Flux prunes nothing, where the items carry paths from the root of the repository.
func prove(before fs.FS, set *object.Set, installs []*classic.Install, cfg config.Config) proof.Proof {
	if cfg.Proof == config.Off {
		return proof.Proof{Findings: []finding.Finding{proof.LeftOut()}}
	}
	if !set.HasPaths() && len(installs) > 0 {
		return proof.Proof{Findings: []finding.Finding{proof.NotWhole()}}
	}
	return proof.Prove(before, filesOf(set.Current()), installs, cfg)
}

// filesOf puts the files together that the objects come from.
func filesOf(objects []*object.Object) fs.FS {
	docs := map[string][]string{}
	for _, o := range slices.SortedStableFunc(slices.Values(objects), object.Compare) {
		if file := path.Clean(o.File); fs.ValidPath(file) && o.File != "" {
			docs[file] = append(docs[file], strings.TrimSuffix(o.Text(), "\n")+"\n")
		}
	}
	files := fstest.MapFS{}
	for file, texts := range docs {
		files[file] = &fstest.MapFile{Data: []byte(strings.Join(texts, "---\n")), Mode: 0o644}
	}
	return files
}
