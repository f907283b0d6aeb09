//go:build wasip1

package pdk

import "unsafe"

// mostBytes is the largest buffer that a call of the contract can need: 256
// columns of 4096 rows.
const mostBytes = 256 * 4096 * 8

// mostMessage is the longest message that the host reads, in bytes.
const mostMessage = 4 << 10

// What the host holds addresses of must be reachable from here, or the garbage
// collector would give it away.
var (
	handedOut   [][]float64
	description []byte
	message     [mostMessage]byte
	messageLen  int
	working     *frame
)

//go:wasmexport ll_describe_v1
func describeV1() int64 {
	if registered == nil {
		panic("pdk: no transform is registered: call pdk.Register in an init function")
	}
	if description == nil {
		description = registered.describe()
	}
	return pointer(unsafe.Pointer(unsafe.SliceData(description)), len(description))
}

//go:wasmexport ll_alloc_v1
func allocV1(bytes int32) unsafe.Pointer {
	if bytes < 0 || bytes > mostBytes {
		return nil
	}
	// Of float64, so that it is aligned; one more, so that it has an address.
	buffer := make([]float64, bytes/8+1)
	handedOut = append(handedOut, buffer)
	return unsafe.Pointer(unsafe.SliceData(buffer))
}

//go:wasmexport ll_transform_v1
func transformV1(in, out unsafe.Pointer, rows int32) int32 {
	if working == nil {
		working = newFrame(registered)
	}
	n := int(rows)
	failure := working.apply(registered,
		unsafe.Slice((*float64)(in), n*len(registered.Inputs)),
		unsafe.Slice((*float64)(out), n*len(registered.Outputs)), n)
	messageLen = copy(message[:], failure)
	if failure != "" {
		return 1
	}
	return 0
}

//go:wasmexport ll_error_v1
func errorV1() int64 {
	return pointer(unsafe.Pointer(&message), messageLen)
}

func pointer(p unsafe.Pointer, n int) int64 {
	return int64(uintptr(p))<<32 | int64(n)
}
