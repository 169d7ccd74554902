// SPDX-License-Identifier: Apache-2.0
package interop;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.file.Files;
import java.nio.file.Paths;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.eclipse.californium.core.coap.OptionSet;
import org.eclipse.californium.core.coap.Response;
import org.eclipse.leshan.core.link.attributes.Attribute;
import org.eclipse.leshan.core.link.lwm2m.LwM2mLink;
import org.eclipse.leshan.core.link.lwm2m.attributes.DefaultLwM2mAttributeParser;
import org.eclipse.leshan.core.link.lwm2m.attributes.LwM2mAttributeSet;
import org.eclipse.leshan.core.node.LwM2mNode;
import org.eclipse.leshan.core.node.LwM2mObjectInstance;
import org.eclipse.leshan.core.node.LwM2mPath;
import org.eclipse.leshan.core.node.LwM2mSingleResource;
import org.eclipse.leshan.core.request.ContentFormat;
import org.eclipse.leshan.core.request.CreateRequest;
import org.eclipse.leshan.core.request.DeleteRequest;
import org.eclipse.leshan.core.request.DiscoverRequest;
import org.eclipse.leshan.core.request.DownlinkRequest;
import org.eclipse.leshan.core.request.ExecuteRequest;
import org.eclipse.leshan.core.request.ObserveRequest;
import org.eclipse.leshan.core.request.ReadCompositeRequest;
import org.eclipse.leshan.core.request.ReadRequest;
import org.eclipse.leshan.core.request.WriteAttributesRequest;
import org.eclipse.leshan.core.request.WriteCompositeRequest;
import org.eclipse.leshan.core.request.WriteRequest;
import org.eclipse.leshan.core.response.CreateResponse;
import org.eclipse.leshan.core.response.DiscoverResponse;
import org.eclipse.leshan.core.response.LwM2mResponse;
import org.eclipse.leshan.core.response.ReadCompositeResponse;
import org.eclipse.leshan.core.response.ReadResponse;

/** Requests from JSON, and answers to JSON. */
final class Requests {
    private Requests() {
    }

    /** null: no such request. */
    static DownlinkRequest<? extends LwM2mResponse> build(String op, JsonNode line) throws Exception {
        String path = line.path("path").asText();
        ContentFormat format = format(line.get("format"));
        switch (op) {
        case "read":
            return new ReadRequest(format, path);
        case "write":
            LwM2mNode node = Nodes.fromJson(line.get("node"), new LwM2mPath(path).isResourceInstance());
            return new WriteRequest(WriteRequest.Mode.valueOf(line.path("mode").asText("REPLACE")), format, path, node);
        case "push":
            byte[] image = Files.readAllBytes(Paths.get(line.get("file").asText()));
            return new WriteRequest(WriteRequest.Mode.REPLACE, format, path,
                    LwM2mSingleResource.newBinaryResource(new LwM2mPath(path).getResourceId(), image));
        case "execute":
            return line.has("args") ? new ExecuteRequest(path, line.get("args").asText()) : new ExecuteRequest(path);
        case "discover":
            return new DiscoverRequest(path);
        case "observe":
            return new ObserveRequest(format, path);
        case "attributes":
            return new WriteAttributesRequest(path, new LwM2mAttributeSet(
                    new DefaultLwM2mAttributeParser().parseUriQuery(line.get("query").asText())));
        case "create":
            JsonNode instance = line.get("instance");
            return instance.has("id")
                    ? new CreateRequest(format, path, (LwM2mObjectInstance) Nodes.fromJson(instance, false))
                    : new CreateRequest(format, path, Nodes.resources(instance.get("resources")));
        case "delete":
            return new DeleteRequest(path);
        case "read-composite":
            List<String> paths = new ArrayList<>();
            line.get("paths").forEach(each -> paths.add(each.asText()));
            return new ReadCompositeRequest(format, format, paths);
        case "write-composite":
            Map<LwM2mPath, LwM2mNode> nodes = new HashMap<>();
            for (String each : (Iterable<String>) () -> line.get("nodes").fieldNames()) {
                LwM2mPath where = new LwM2mPath(each);
                nodes.put(where, Nodes.fromJson(line.get("nodes").get(each), where.isResourceInstance()));
            }
            return new WriteCompositeRequest(format, nodes, null);
        default:
            return null;
        }
    }

    private static ContentFormat format(JsonNode name) {
        if (name == null || name.isNull()) {
            return null;
        }
        return name.isInt() ? ContentFormat.fromCode(name.asInt()) : ContentFormat.fromName(name.asText());
    }

    /** Adds to a line what an answer or a notification says. */
    static void describe(LwM2mResponse response, ObjectNode line) {
        line.put("code", response.getCode().getName());
        if (response.getErrorMessage() != null && !response.getErrorMessage().isEmpty()) {
            line.put("message", response.getErrorMessage());
        }
        if (response.getCoapResponse() instanceof Response) {
            Response coap = (Response) response.getCoapResponse();
            OptionSet options = coap.getOptions();
            if (options.hasContentFormat()) {
                line.put("format", ContentFormat.fromCode(options.getContentFormat()).getName());
            }
            if (options.hasObserve()) {
                line.put("observe", options.getObserve());
            }
            line.put("size", coap.getPayloadSize());
            line.put("confirmable", coap.isConfirmable());
        }
        if (response instanceof ReadResponse && ((ReadResponse) response).getContent() != null) {
            line.set("content", Nodes.toJson(((ReadResponse) response).getContent()));
        } else if (response instanceof ReadCompositeResponse) {
            ObjectNode content = line.putObject("content");
            Map<LwM2mPath, LwM2mNode> nodes = ((ReadCompositeResponse) response).getContent();
            if (nodes != null) {
                nodes.forEach((path, node) -> content.set(path.toString(), node == null ? null : Nodes.toJson(node)));
            }
        } else if (response instanceof DiscoverResponse && ((DiscoverResponse) response).getObjectLinks() != null) {
            ArrayNode links = line.putArray("links");
            for (LwM2mLink link : ((DiscoverResponse) response).getObjectLinks()) {
                ObjectNode out = links.addObject().put("path", link.getPath().toString());
                ObjectNode attributes = out.putObject("attributes");
                for (Attribute attribute : link.getAttributes()) {
                    attributes.put(attribute.getName(), String.valueOf(attribute.getValue()));
                }
            }
        } else if (response instanceof CreateResponse) {
            line.put("location", ((CreateResponse) response).getLocation());
        }
    }
}
