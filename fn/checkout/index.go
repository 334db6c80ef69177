package checkout

import (
	"bytes"
	"encoding/binary"
)

// indexPaths are the paths in a Git index of version 2, 3 or 4; what cannot be read is left out, since the index only
// adds files that ignore rules leave out.
func indexPaths(index []byte) []string {
	if len(index) < 12 || string(index[:4]) != "DIRC" {
		return nil
	}
	version, count := binary.BigEndian.Uint32(index[4:]), binary.BigEndian.Uint32(index[8:])
	if version < 2 || version > 4 {
		return nil
	}
	var paths []string
	last, rest := "", index[12:]
	for range count {
		name, size := indexEntry(rest, version, last)
		if size <= 0 || size > len(rest) {
			return paths
		}
		paths = append(paths, name)
		last, rest = name, rest[size:]
	}
	return paths
}

// indexEntry reads one entry: a fixed part, flags, and the path, which version 4 shortens by what it shares with the
// path before it and the other versions pad with zeros. size is 0 for an entry that is cut off.
func indexEntry(b []byte, version uint32, last string) (name string, size int) {
	const fixed, extended = 62, 0x4000
	if len(b) < fixed+3 {
		return "", 0
	}
	start := fixed
	if binary.BigEndian.Uint16(b[fixed-2:])&extended != 0 {
		start += 2
	}
	if version < 4 {
		end := bytes.IndexByte(b[start:], 0)
		if end < 0 {
			return "", 0
		}
		return string(b[start : start+end]), (start + end + 8) / 8 * 8
	}
	cut, n := indexVarint(b[start:])
	end := bytes.IndexByte(b[start+n:], 0)
	if n == 0 || end < 0 || cut > len(last) {
		return "", 0
	}
	return last[:len(last)-cut] + string(b[start+n:start+n+end]), start + n + end + 1
}

// indexVarint reads Git's offset encoding and how many bytes it took.
func indexVarint(b []byte) (value, n int) {
	for n < len(b) && n < 5 {
		value = value<<7 | int(b[n]&0x7f)
		n++
		if b[n-1]&0x80 == 0 {
			return value, n
		}
		value++
	}
	return 0, 0
}
