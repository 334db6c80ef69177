//go:build unix

package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"syscall"
	"time"
)

// cost is what one run of a program took: milliseconds on the clock and of the processors, and the most memory, in MB.
type cost struct{ Wall, CPU, Memory float64 }

// launch runs a command and appends its cost to a file. Memory is that of the one process, and Linux counts what
// started it as a lower bound: so programs are started by a process of their own that has used none yet.
func launch(log string, command []string) error {
	c := exec.Command(command[0], command[1:]...)
	c.Stdin, c.Stdout, c.Stderr = os.Stdin, os.Stdout, os.Stderr
	start := time.Now()
	err := c.Run()
	wall := time.Since(start)
	if c.ProcessState == nil {
		return err
	}
	usage := c.ProcessState.SysUsage().(*syscall.Rusage)
	line, _ := json.Marshal(cost{milliseconds(wall),
		milliseconds(c.ProcessState.UserTime() + c.ProcessState.SystemTime()), float64(usage.Maxrss) / 1024})
	file, failed := os.OpenFile(log, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if failed != nil {
		return failed
	}
	_, failed = file.Write(append(line, '\n'))
	return errors.Join(failed, file.Close(), err)
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// measured runs a command on a file as stdin, with what it prints thrown away. Only success counts.
func measured(log, stdin string, command ...string) (cost, error) {
	in, err := os.Open(stdin)
	if err != nil {
		return cost{}, err
	}
	defer in.Close()
	c := exec.Command(self, append([]string{launchFlag, log}, command...)...)
	c.Stdin, c.Stdout = in, io.Discard
	before, _ := costs(log)
	output, err := stderrOf(c)
	if err != nil {
		return cost{}, fmt.Errorf("%v: %w\n%s", command, err, output)
	}
	all, err := costs(log)
	if err != nil || len(all) != len(before)+1 {
		return cost{}, fmt.Errorf("%v: was not measured: %w", command, err)
	}
	return all[len(all)-1], nil
}

// costs reads what launch wrote.
func costs(log string) ([]cost, error) {
	file, err := os.Open(log)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	var all []cost
	for decoder := json.NewDecoder(file); ; {
		var c cost
		if err := decoder.Decode(&c); err == io.EOF {
			return all, nil
		} else if err != nil {
			return nil, err
		}
		all = append(all, c)
	}
}

// stderrOf runs a command and returns what it says on stderr.
func stderrOf(c *exec.Cmd) (string, error) {
	pipe, err := c.StderrPipe()
	if err != nil {
		return "", err
	}
	if err := c.Start(); err != nil {
		return "", err
	}
	said, _ := io.ReadAll(pipe)
	return string(said), c.Wait()
}

// pair is two programs measured in turn, so that what slows the machine down slows both.
type pair struct{ ours, theirs []cost }

// inTurn measures two programs some rounds, after one that does not count.
func inTurn(rounds int, ours, theirs func() (cost, error)) (pair, error) {
	var p pair
	for i := range rounds + 1 {
		theirCost, err := theirs()
		if err != nil {
			return p, err
		}
		ourCost, err := ours()
		if err != nil {
			return p, err
		}
		if i > 0 {
			p.ours, p.theirs = append(p.ours, ourCost), append(p.theirs, theirCost)
		}
	}
	return p, nil
}

// median of a figure.
func median(costs []cost, figure func(cost) float64) float64 {
	var all []float64
	for _, c := range costs {
		all = append(all, figure(c))
	}
	slices.Sort(all)
	return all[len(all)/2]
}

// ratio is the median of the ratios of a figure, round by round.
func (p pair) ratio(figure func(cost) float64) float64 {
	var all []float64
	for i := range p.ours {
		all = append(all, figure(p.ours[i])/figure(p.theirs[i]))
	}
	slices.Sort(all)
	return all[len(all)/2]
}

func wall(c cost) float64   { return c.Wall }
func cpu(c cost) float64    { return c.CPU }
func memory(c cost) float64 { return c.Memory }
