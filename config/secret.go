package config

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"runtime"
)

// tooOpen are the permissions that a file with a secret must not give: writing to its group, and anything to others.
// Reading by the group is how a service's administrators are let in.
const tooOpen fs.FileMode = 0o027

// ReadSecretFile returns the content of a file that holds a secret, such as a password or a private key. It refuses files
// that others than the owner and its group can read, or others than the owner can change, and those larger than a mebibyte.
// The error does not name the file.
func ReadSecretFile(name string) ([]byte, error) {
	data, mode, err := readLimited(name)
	if err != nil {
		return nil, err
	}
	return data, checkSecretMode(mode)
}

// checkSecretMode judges the permissions of a file with a secret. Windows has no such permissions, and a pipe is
// nobody else's to read.
func checkSecretMode(mode fs.FileMode) error {
	if runtime.GOOS == "windows" || !mode.IsRegular() || mode.Perm()&tooOpen == 0 {
		return nil
	}
	return fmt.Errorf("it holds a secret, and its permissions %04o let others read or change it: allowed is %04o at most", mode.Perm(), ^tooOpen&0o660)
}

// readLimited returns the content of the named file, which may be a pipe, and its mode.
func readLimited(name string) ([]byte, fs.FileMode, error) {
	file, err := os.Open(name)
	if err != nil {
		return nil, 0, reason(err)
	}
	defer file.Close() // nothing was written: there is no error to miss
	info, err := file.Stat()
	if err != nil {
		return nil, 0, reason(err)
	}
	data, err := io.ReadAll(io.LimitReader(file, int64(maxFileSize)+1))
	if err != nil {
		return nil, 0, reason(err)
	}
	if len(data) > int(maxFileSize) {
		return nil, 0, fmt.Errorf("it is larger than %s", maxFileSize)
	}
	return data, info.Mode(), nil
}

// reason strips the operation and the path, which the caller names already.
func reason(err error) error {
	var pathError *fs.PathError
	if errors.As(err, &pathError) {
		return pathError.Err
	}
	return err
}
