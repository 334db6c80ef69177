package command

import (
	"runtime/debug"

	"migrate-to-flux-operator/fn/config"
	"migrate-to-flux-operator/fn/proof"
)

// prove adds to a result whether Flux would prune anything.
func (r *repository) prove(result *Result, cfg config.Config) {
	if cfg.Proof == config.Off {
		result.Findings = append(result.Findings, proof.LeftOut())
		return
	}
	if len(result.changes) == 0 {
		return
	}
	// The proof builds far more than it keeps, and is what takes the time on a large repository: here memory is worth less than time.
	debug.SetGCPercent(200)
	proved := proof.Prove(result.Outcome, r.tree, r.tree.With(result.changes), cfg)
	result.Findings, result.trees = append(result.Findings, proved.Findings...), proved.Trees
}
