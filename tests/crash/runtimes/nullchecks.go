// SPDX-License-Identifier: Apache-2.0
// nullchecks ROUNDS [panic | crash | exit]: recovers from nil dereferences, which Go has of SIGSEGV, then panics by one, crashes
// in C, or exits with status 3, as it is asked to.
package main

// static int nothing(void) { return 0; }
// __attribute__((noinline)) int crash_here(volatile int *address) { return *address + 1; }
import "C"

import (
	"fmt"
	"os"
	"strconv"
	"unsafe"
)

type node struct {
	value int
}

func read(n *node) (caught int) {
	defer func() {
		if recover() != nil {
			caught = 1
		}
	}()
	return n.value
}

func end(how string) {
	var none *node

	switch how {
	case "panic":
		fmt.Println(none.value)
	case "crash":
		address := uintptr(16)
		fmt.Println(C.crash_here(*(**C.int)(unsafe.Pointer(&address))))
	case "exit":
		os.Exit(3)
	}
}

func main() {
	rounds, _ := strconv.Atoi(os.Args[1])
	full := &node{int(C.nothing())}
	caught := 0
	for i := 0; i < rounds; i++ {
		if i%2 == 0 {
			caught += read(nil)
		} else {
			caught += read(full)
		}
	}
	fmt.Println("caught", caught)
	if len(os.Args) > 2 {
		end(os.Args[2])
	}
}
