// SPDX-License-Identifier: Apache-2.0
// nullchecks ROUNDS [panic]: recovers from nil dereferences, which Go has of SIGSEGV, then panics by one if it is asked to.
package main

// static int nothing(void) { return 0; }
import "C"

import (
	"fmt"
	"os"
	"strconv"
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
		var none *node
		fmt.Println(none.value)
	}
}
