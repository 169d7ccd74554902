// SPDX-License-Identifier: Apache-2.0
package interop;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;

/**
 * A LwM2M server that is told by JSON lines on standard input what to do. Each line has an "id" and an "op"; the line
 * that answers it has the same "id" and either what came of it or "error". Lines with "event" come by themselves.
 * The server ends when standard input does.
 */
public final class Main {
    static final ObjectMapper JSON = new ObjectMapper();

    private static PrintStream out;

    private Main() {
    }

    /** Writes one line; from any thread. */
    static void say(ObjectNode line) {
        synchronized (Main.class) {
            out.println(line);
            out.flush();
        }
    }

    static void fail(JsonNode id, Throwable problem) {
        ObjectNode line = JSON.createObjectNode();
        line.set("id", id);
        line.put("error", problem.getClass().getSimpleName() + ": " + problem.getMessage());
        say(line);
    }

    public static void main(String[] arguments) throws Exception {
        out = new PrintStream(System.out, false, StandardCharsets.UTF_8);
        // what else prints must not come between our lines
        System.setOut(System.err);
        Server server = new Server();
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String text = in.readLine(); text != null; text = in.readLine()) {
            JsonNode line = JSON.readTree(text);
            try {
                server.handle(line);
            } catch (Exception problem) {
                fail(line.get("id"), problem);
            }
        }
        server.stop();
    }
}
