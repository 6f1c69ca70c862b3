// SPDX-License-Identifier: Apache-2.0
// NullChecks ROUNDS [crash]: catches NullPointerExceptions, which compiled code has of SIGSEGV, then crashes in native
// code if it is asked to. NullChecks.base64 is this compiled (javac -g:none -source 8 -target 8), for machines without a
// compiler.
import java.lang.reflect.Field;

public class NullChecks {
    int value;

    static int read(NullChecks object) {
        return object.value;
    }

    public static void main(String[] arguments) throws Exception {
        int rounds = Integer.parseInt(arguments[0]);
        NullChecks object = new NullChecks();
        int caught = 0;
        for (int i = 0; i < 20 * rounds; i++) {
            caught += read(object); // until it is compiled
        }
        for (int i = 0; i < rounds; i++) {
            try {
                caught += read(i % 2 == 0 ? null : object);
            } catch (NullPointerException e) {
                caught++;
            }
        }
        System.out.println("caught " + caught);
        if (arguments.length > 1) {
            Field field = sun.misc.Unsafe.class.getDeclaredField("theUnsafe");
            field.setAccessible(true);
            ((sun.misc.Unsafe) field.get(null)).putAddress(0, 1);
        }
    }
}
