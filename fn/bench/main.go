//go:build unix

// Command bench measures the product as whole processes and prints the table of docs/benchmarks.md: against a function
// that does nothing on the same framework, and inside kpt and kustomize.
package main

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"time"
)

// launchFlag makes bench launch and measure a program, instead of all that it does otherwise.
const launchFlag = "-launch"

// self is this program.
var self, _ = os.Executable()

func main() {
	if len(os.Args) > 3 && os.Args[1] == launchFlag {
		if launch(os.Args[2], os.Args[3:]) != nil {
			os.Exit(1)
		}
		return
	}
	rounds := flag.Int("rounds", 5, "how often each pair is measured")
	largest := flag.Int("largest", 50000, "items of the largest list")
	fleets := flag.Int("clusters", 200, "clusters of the largest repository of many")
	flag.Parse()
	if err := run(*rounds, *largest, *fleets); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// bench is the programs to measure, and where their files are.
type bench struct {
	dir, product, identity, log string
	rounds                      int
}

func run(rounds, largest, fleets int) error {
	dir, err := os.MkdirTemp("", "bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	b := bench{dir: dir, rounds: rounds, log: filepath.Join(dir, "costs")}
	if b.product, err = b.build("product", "./fn"); err != nil {
		return err
	}
	if b.identity, err = b.build("identity", "./fn/bench/identity"); err != nil {
		return err
	}
	fmt.Printf("%s, %d processors (%s), %s, %s/%s; medians of %d runs in turn\n", time.Now().Format(time.DateOnly),
		runtime.NumCPU(), processor(),
		runtime.Version(), runtime.GOOS, runtime.GOARCH, rounds)
	for _, part := range []func() error{
		func() error { return b.lists(largest) },
		b.runtimes,
		func() error { return b.clusters(fleets) },
	} {
		if err := part(); err != nil {
			return err
		}
	}
	return nil
}

// build builds a program as it is shipped.
func (b bench) build(name, source string) (string, error) {
	out := filepath.Join(b.dir, name)
	c := exec.Command("go", "build", "-trimpath", "-ldflags", "-s -w", "-o", out, source)
	c.Env = append(os.Environ(), "CGO_ENABLED=0")
	if said, err := c.CombinedOutput(); err != nil {
		return "", fmt.Errorf("go build %s: %w\n%s", source, err, said)
	}
	return out, nil
}

// processor is the name that Linux has for it.
func processor() string {
	info, _ := os.ReadFile("/proc/cpuinfo")
	_, after, _ := strings.Cut(string(info), "model name")
	name, _, _ := strings.Cut(after, "\n")
	return strings.TrimLeft(name, "\t: ")
}

// lists measures the function on lists of workloads in all styles, and in each one.
func (b bench) lists(largest int) error {
	fmt.Print("\n| list | do nothing | | | migrate | | | ratio | | |\n" +
		"|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|\n" +
		"| | wall ms | CPU ms | MB | wall ms | CPU ms | MB | wall | CPU | MB |\n")
	rows := []repository{{10000, 100, false, ""}, {50000, 100, false, ""}, {10000, 100, true, ""}}
	for _, style := range styles() {
		rows = append(rows, repository{10000, 100, false, style})
	}
	for _, r := range rows {
		if r.items > largest {
			continue
		}
		if err := b.row(r); err != nil {
			return err
		}
	}
	return nil
}

// row measures one list.
func (b bench) row(r repository) error {
	name := filepath.Join(b.dir, "list.yaml")
	if err := r.list(name); err != nil {
		return err
	}
	p, err := inTurn(b.rounds,
		func() (cost, error) { return measured(b.log, name, b.product) },
		func() (cost, error) { return measured(b.log, name, b.identity) })
	if err != nil {
		return err
	}
	what := fmt.Sprintf("%d items, %d of them relevant", r.items, r.relevant)
	if r.applied {
		what += ", all applied by Flux"
	}
	if r.style != "" {
		what += ", " + r.style
	}
	fmt.Printf("| %s |", what)
	for _, of := range [][]cost{p.theirs, p.ours} {
		fmt.Printf(" %.0f | %.0f | %.1f |", median(of, wall), median(of, cpu), median(of, memory))
	}
	fmt.Printf(" %.2f | %.2f | %.3f |\n", p.ratio(wall), p.ratio(cpu), p.ratio(memory))
	return nil
}

// runtimes measures how much of a run of kpt and of kustomize is the function.
func (b bench) runtimes() error {
	fmt.Print("\n| run | items | wall ms | of that the function | the runtime's share |\n|---|--:|--:|--:|--:|\n")
	function := filepath.Join(b.dir, "function")
	inner := filepath.Join(b.dir, "inner")
	script := fmt.Sprintf("#!/bin/sh\nexec '%s' %s '%s' '%s'\n", self, launchFlag, inner, b.product)
	if err := os.WriteFile(function, []byte(script), 0o755); err != nil {
		return err
	}
	for _, items := range []int{10, 1000} {
		r := repository{items, min(items, 100), false, ""}
		dir := filepath.Join(b.dir, fmt.Sprint("package", items))
		if err := r.write(dir); err != nil {
			return err
		}
		if kpt, err := exec.LookPath("kpt"); err != nil {
			fmt.Printf("| kpt fn eval | %d | not on PATH | | |\n", items)
		} else if err := b.share("kpt fn eval", items, inner, kpt, "fn", "eval", dir, "--exec", function, "--output",
			"unwrap"); err != nil {
			return err
		}
		if err := r.kustomization(dir, "../function"); err != nil {
			return err
		}
		kustomize, err := exec.Command("go", "tool", "-n", "sigs.k8s.io/kustomize/kustomize/v5").Output()
		if err != nil {
			return err
		}
		if err := b.share("kustomize build", items, inner, strings.TrimSpace(string(kustomize)), "build",
			"--enable-alpha-plugins", "--enable-exec", dir); err != nil {
			return err
		}
	}
	return nil
}

// share measures a run of a function runtime, and the function in it.
func (b bench) share(what string, items int, inner string, command ...string) error {
	os.Remove(inner)
	var outer []cost
	for range b.rounds + 1 {
		c, err := measured(b.log, os.DevNull, command...)
		if err != nil {
			return err
		}
		outer = append(outer, c)
	}
	within, err := costs(inner)
	if err != nil || len(within) != len(outer) {
		return fmt.Errorf("%s: the function ran %d times in %d runs: %w", what, len(within), len(outer), err)
	}
	p := pair{within[1:], outer[1:]}
	fmt.Printf("| %s | %d | %.0f | %.0f | %.0f %% |\n", what, items, median(p.theirs, wall), median(p.ours, wall),
		100*(1-p.ratio(wall)))
	return nil
}
