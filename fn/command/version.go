package command

import (
	"cmp"
	"fmt"
	"runtime/debug"

	"migrate-to-flux-operator/fn/flux"
)

// version and revision are what this program was built from. The Makefile sets them; without it, Go has noted them.
var version, revision string

// versionText is what --version prints.
func versionText() string {
	of, at := built()
	newest := flux.NewestOperator()
	return fmt.Sprintf("%s\ncommit %s\nknows Flux up to %s and Flux Operator up to %s", of, at, newest.Max,
		newest.Version)
}

// built is the version and the commit that this program was built from.
func built() (of, at string) {
	info, noted := debug.ReadBuildInfo()
	if !noted {
		return cmp.Or(version, "unknown"), cmp.Or(revision, "unknown")
	}
	for _, setting := range info.Settings {
		if setting.Key == "vcs.revision" {
			at = setting.Value
		}
	}
	return cmp.Or(version, info.Main.Version, "unknown"), cmp.Or(revision, at, "unknown")
}
