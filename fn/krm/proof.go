package krm

import (
	"io/fs"

	"migrate-to-flux-operator/fn/config"
	"migrate-to-flux-operator/fn/finding"
	"migrate-to-flux-operator/fn/migrate"
	"migrate-to-flux-operator/fn/object"
	"migrate-to-flux-operator/fn/proof"
)

// prove shows that Flux prunes nothing, where the items carry paths from the root of the repository.
func prove(outcome migrate.Outcome, before fs.FS, set *object.Set, cfg config.Config) proof.Proof {
	if cfg.Proof == config.Off {
		return proof.Proof{Findings: []finding.Finding{proof.LeftOut()}}
	}
	if !set.HasPaths() && len(outcome.Installs) > 0 {
		return proof.Proof{Findings: []finding.Finding{proof.NotWhole()}}
	}
	after, err := set.Tree()
	if err != nil {
		return proof.Proof{Findings: []finding.Finding{proof.Unread(err)}}
	}
	return proof.Prove(outcome, before, after, cfg, func(int, int) {})
}
