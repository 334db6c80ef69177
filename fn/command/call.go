package command

import (
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"migrate-to-flux-operator/fn/config"
	"migrate-to-flux-operator/fn/printable"
	"migrate-to-flux-operator/fn/shell"
)

// call is how this program was called: what it prints to be run next is about the same checkout, with the same flags.
type call struct {
	dir string // as it was given
	// clusters are the flags that each command takes, making those of plan and apply alone, phase those that the next
	// phase does not have.
	clusters, making, phase []string
}

// called is how a command was called.
func (f *configFlags) called(cmd *cobra.Command, dir string) call {
	c := call{dir: fitting(dir)}
	file := fitting(f.file)
	if f.redact {
		c.dir, file = ".", "FILE"
	}
	if f.file != "" {
		c.clusters = append(c.clusters, "--config", file)
	}
	for _, name := range flagNames {
		if !cmd.Flags().Changed(name.flag) {
			continue
		}
		switch value := fitting(*f.values[name.field]); name.field {
		case "clusters":
			c.clusters = append(c.clusters, "--"+name.flag, value)
		case "phase":
			c.phase = append(c.phase, "--"+name.flag, value)
		case "takenOver":
			c.phase = append(c.phase, "--"+name.flag+"="+value)
		default:
			c.making = append(c.making, "--"+name.flag, value)
		}
	}
	for _, file := range f.live {
		c.phase = append(c.phase, "--live", fitting(file))
	}
	if f.subfolder {
		c.clusters = append(c.clusters, "--subfolder")
	}
	for i, word := range c.phase {
		c.phase[i] = strings.TrimSuffix(word, "=true")
	}
	return c
}

// fitting is a word of a command; one that cannot be printed as it is, such as values on several lines, is left open.
func fitting(word string) string {
	if !printable.Fits(word) {
		return "…"
	}
	return word
}

// only is a call about one of several clusters.
func (c call) only(cluster string) call {
	words := slices.Clone(c.clusters)
	if at := slices.Index(words, "--cluster"); at >= 0 {
		words = slices.Delete(words, at, at+2)
	}
	c.clusters = append(words, "--cluster", cluster)
	return c
}

// of is a command about the same clusters.
func (c call) of(verb string, more ...string) shell.Line {
	return shell.Run(slices.Concat([]string{"migrate-to-flux-operator", verb, c.dir}, c.clusters, more)...)
}

// again is a command with the same flags.
func (c call) again(verb string) shell.Line {
	return c.of(verb, slices.Concat(c.making, c.phase)...)
}

// cleanup is a command for the phase cleanup, with what the clusters say.
func (c call) cleanup(verb, live string) shell.Line {
	return c.of(verb, slices.Concat(c.making, []string{"--phase", config.Cleanup, "--live", live})...)
}
