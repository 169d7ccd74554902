// SPDX-License-Identifier: Apache-2.0
package interop;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Base64;
import java.util.Date;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.eclipse.leshan.core.model.ResourceModel.Type;
import org.eclipse.leshan.core.node.LwM2mMultipleResource;
import org.eclipse.leshan.core.node.LwM2mNode;
import org.eclipse.leshan.core.node.LwM2mObject;
import org.eclipse.leshan.core.node.LwM2mObjectInstance;
import org.eclipse.leshan.core.node.LwM2mResource;
import org.eclipse.leshan.core.node.LwM2mResourceInstance;
import org.eclipse.leshan.core.node.LwM2mSingleResource;
import org.eclipse.leshan.core.node.ObjectLink;
import org.eclipse.leshan.core.util.datatype.ULong;

/**
 * Nodes of the data model as JSON: {"id", "type", "value"} a value, {"id", "type", "values"} a resource of many,
 * {"id", "resources"} an Object Instance, {"id", "instances"} an Object. Opaque data is base64, a time is in seconds
 * and a link is text such as "3:0".
 */
final class Nodes {
    private Nodes() {
    }

    static JsonNode toJson(LwM2mNode node) {
        ObjectNode out = Main.JSON.createObjectNode();
        if (node instanceof LwM2mObject) {
            LwM2mObject object = (LwM2mObject) node;
            ArrayNode list = out.put("id", object.getId()).putArray("instances");
            object.getInstances().values().forEach(instance -> list.add(toJson(instance)));
        } else if (node instanceof LwM2mObjectInstance) {
            LwM2mObjectInstance instance = (LwM2mObjectInstance) node;
            ArrayNode list = out.put("id", instance.getId()).putArray("resources");
            instance.getResources().values().forEach(resource -> list.add(toJson(resource)));
        } else if (node instanceof LwM2mResourceInstance) {
            LwM2mResourceInstance element = (LwM2mResourceInstance) node;
            out.put("id", element.getId()).put("type", element.getType().name());
            out.set("value", value(element.getValue()));
        } else {
            LwM2mResource resource = (LwM2mResource) node;
            out.put("id", resource.getId()).put("type", resource.getType().name());
            if (resource.isMultiInstances()) {
                ObjectNode values = out.putObject("values");
                resource.getInstances().forEach((id, element) -> values.set(id.toString(), value(element.getValue())));
            } else {
                out.set("value", value(resource.getValue()));
            }
        }
        return out;
    }

    private static JsonNode value(Object value) {
        if (value instanceof byte[]) {
            return Main.JSON.valueToTree(Base64.getEncoder().encodeToString((byte[]) value));
        }
        if (value instanceof Date) {
            return Main.JSON.valueToTree(((Date) value).getTime() / 1000);
        }
        if (value instanceof ObjectLink) {
            return Main.JSON.valueToTree(((ObjectLink) value).encodeToString());
        }
        if (value instanceof ULong) {
            return Main.JSON.valueToTree(((ULong) value).toBigInteger());
        }
        return Main.JSON.valueToTree(value);
    }

    /** A resource, or with {@code element} one of the values of a resource of many. */
    static LwM2mNode fromJson(JsonNode node, boolean element) throws IOException {
        int id = node.path("id").asInt();
        if (node.has("instances")) {
            List<LwM2mObjectInstance> instances = new ArrayList<>();
            for (JsonNode instance : node.get("instances")) {
                instances.add((LwM2mObjectInstance) fromJson(instance, false));
            }
            return new LwM2mObject(id, instances);
        }
        if (node.has("resources")) {
            List<LwM2mResource> resources = resources(node.get("resources"));
            return node.has("id") ? new LwM2mObjectInstance(id, resources) : new LwM2mObjectInstance(resources);
        }
        Type type = Type.valueOf(node.get("type").asText());
        if (node.has("values")) {
            Map<Integer, Object> values = new HashMap<>();
            for (String key : (Iterable<String>) () -> node.get("values").fieldNames()) {
                values.put(Integer.valueOf(key), value(node.get("values").get(key), type));
            }
            return LwM2mMultipleResource.newResource(id, values, type);
        }
        Object value = value(node.get("value"), type);
        return element ? LwM2mResourceInstance.newInstance(id, value, type)
                : LwM2mSingleResource.newResource(id, value, type);
    }

    static List<LwM2mResource> resources(JsonNode list) throws IOException {
        List<LwM2mResource> resources = new ArrayList<>();
        for (JsonNode resource : list) {
            resources.add((LwM2mResource) fromJson(resource, false));
        }
        return resources;
    }

    static Object value(JsonNode value, Type type) throws IOException {
        switch (type) {
        case INTEGER:
            return value.asLong();
        case UNSIGNED_INTEGER:
            return ULong.valueOf(value.bigIntegerValue());
        case FLOAT:
            return value.asDouble();
        case BOOLEAN:
            return value.asBoolean();
        case OPAQUE:
            return value.binaryValue();
        case TIME:
            return new Date(value.asLong() * 1000);
        case OBJLNK:
            return ObjectLink.decodeFromString(value.asText());
        default:
            return value.asText();
        }
    }
}
