package checkout

import (
	"bytes"
	"encoding/binary"
	"io"
	"io/fs"
	"sync"
	"syscall"
	"unsafe"
)

// folder is an open directory. Opening with os costs several times the calls to the kernel that the work takes, for features that a walk
// does not need (a poller, deadlines, links within the root), and on a large tree these calls are most of the walk.
type folder struct{ fd int }

// openFolder opens a directory by its path.
func openFolder(path string) (folder, error) {
	fd, err := retried(func() (int, error) {
		return syscall.Open(path, syscall.O_RDONLY|syscall.O_DIRECTORY|syscall.O_CLOEXEC, 0)
	})
	if err != nil {
		return folder{}, &fs.PathError{Op: "open", Path: path, Err: err}
	}
	return folder{fd}, nil
}

// open opens what lies in the folder itself, never a link: so no way leads out of the folder. Nor does it wait for the other end of a pipe.
func (f folder) open(name string, flags int) (int, error) {
	return retried(func() (int, error) {
		return syscall.Openat(f.fd, name, flags|syscall.O_RDONLY|syscall.O_NOFOLLOW|syscall.O_NONBLOCK|syscall.O_CLOEXEC, 0)
	})
}

// folder opens a directory in the folder.
func (f folder) folder(name string) (folder, error) {
	fd, err := f.open(name, syscall.O_DIRECTORY)
	return folder{fd}, err
}

// file opens a file in the folder.
func (f folder) file(name string) (handle, error) {
	fd, err := f.open(name, 0)
	return handle(fd), err
}

// close lets go of the folder.
func (f folder) close() { syscall.Close(f.fd) }

// handle is an open file.
type handle int

// Read reads the next bytes.
func (h handle) Read(into []byte) (int, error) {
	n, err := retried(func() (int, error) { return syscall.Read(int(h), into) })
	if n == 0 && err == nil && len(into) > 0 {
		err = io.EOF
	}
	return max(n, 0), err
}

// Close lets go of the file.
func (h handle) Close() error { return syscall.Close(int(h)) }

// listings are buffers for list.
var listings = sync.Pool{New: func() any { return new([32 << 10]byte) }}

// list lists the folder.
func (f folder) list() ([]entry, error) {
	buffer := listings.Get().(*[32 << 10]byte)
	defer listings.Put(buffer)
	var all []entry
	for {
		n, err := retried(func() (int, error) { return syscall.ReadDirent(f.fd, buffer[:]) })
		if err != nil || n <= 0 {
			return all, err
		}
		for rest := buffer[:n]; len(rest) > 0; {
			var dirent syscall.Dirent
			size := binary.NativeEndian.Uint16(rest[unsafe.Offsetof(dirent.Reclen):])
			name, _, _ := bytes.Cut(rest[unsafe.Offsetof(dirent.Name):size], []byte{0})
			kind := rest[unsafe.Offsetof(dirent.Type)]
			rest = rest[size:]
			if string(name) == "." || string(name) == ".." {
				continue
			}
			all = append(all, entry{string(name), kind == syscall.DT_DIR, kind == syscall.DT_REG, kind == syscall.DT_UNKNOWN})
		}
	}
}

// retried repeats a call until no signal interrupts it.
func retried(call func() (int, error)) (int, error) {
	for {
		if n, err := call(); err != syscall.EINTR {
			return n, err
		}
	}
}
