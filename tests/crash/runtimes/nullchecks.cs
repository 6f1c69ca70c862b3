// SPDX-License-Identifier: Apache-2.0
// nullchecks ROUNDS [crash]: catches NullReferenceExceptions, which Mono has of SIGSEGV, then crashes in C if it is
// asked to.
using System;
using System.Runtime.InteropServices;

class Node {
    public int Value = 0;
}

class NullChecks {
    [DllImport("libc")]
    static extern UIntPtr strlen(IntPtr text);

    static int Read(Node node)
    {
        return node.Value;
    }

    static int Main(string[] arguments)
    {
        int rounds = int.Parse(arguments[0]), caught = 0;
        Node node = new Node();

        for (int i = 0; i < rounds; i++) {
            try {
                caught += Read(i % 2 == 0 ? null : node);
            } catch (NullReferenceException) {
                caught++;
            }
        }
        Console.WriteLine("caught " + caught);
        if (arguments.Length > 1) {
            strlen(new IntPtr(16));
        }
        return 0;
    }
}
