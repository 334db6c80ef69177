//go:build unix

package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// clusters measures a plan, with its proof, of more and more clusters in one repository, each like the one of the
// example bootstrap.
func (b bench) clusters(most int) error {
	fmt.Print("\n| clusters in one repository | wall ms | CPU ms | MB | CPU ms for each |\n|---|--:|--:|--:|--:|\n")
	for _, n := range []int{20, 40, 80, 200} {
		if n > most {
			continue
		}
		dir := filepath.Join(b.dir, fmt.Sprint("fleet", n))
		if err := fleet(dir, n); err != nil {
			return err
		}
		c, err := measured(b.log, os.DevNull, b.product, "plan", dir)
		if err != nil {
			return err
		}
		fmt.Printf("| %d | %.0f | %.0f | %.0f | %.0f |\n", n, c.Wall, c.CPU, c.Memory, c.CPU/float64(n))
	}
	return nil
}

// example is the repository of one cluster.
var example = filepath.Join("examples", "bootstrap", "input")

// fleet writes a repository of so many clusters.
func fleet(dir string, clusters int) error {
	for n := range clusters {
		if err := cluster(dir, fmt.Sprintf("cluster-%03d", n)); err != nil {
			return err
		}
	}
	return nil
}

// cluster writes one of them.
func cluster(dir, name string) error {
	at := filepath.Join(dir, "clusters", name)
	if err := os.CopyFS(at, os.DirFS(filepath.Join(example, "clusters", "production"))); err != nil {
		return err
	}
	if err := os.CopyFS(filepath.Join(dir, "apps", name), os.DirFS(filepath.Join(example, "apps"))); err != nil {
		return err
	}
	paths := strings.NewReplacer("./clusters/production", "./clusters/"+name, "path: ./apps", "path: ./apps/"+name)
	for _, file := range []string{"apps.yaml", "flux-system/gotk-sync.yaml"} {
		content, err := os.ReadFile(filepath.Join(at, file))
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(at, file), []byte(paths.Replace(string(content))), 0o644); err != nil {
			return err
		}
	}
	return nil
}
