package command

import (
	"migrate-to-flux-operator/fn/config"
	"migrate-to-flux-operator/fn/proof"
)

// prove adds to a result whether Flux would prune anything.
func (r *repository) prove(result *Result, cfg config.Config, progress progress) {
	if cfg.Proof == config.Off {
		result.Findings = append(result.Findings, proof.LeftOut())
		return
	}
	if len(result.changes) == 0 {
		return
	}
	proved := proof.Prove(result.Outcome, r.tree, r.tree.With(result.changes), cfg,
		progress.counted("proving that Flux prunes nothing"))
	result.Findings, result.trees = append(result.Findings, proved.Findings...), proved.Trees
}
