// SPDX-License-Identifier: Apache-2.0
package interop;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.net.URI;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HexFormat;
import java.util.List;
import org.eclipse.californium.core.config.CoapConfig;
import org.eclipse.californium.scandium.config.DtlsConfig;
import org.eclipse.leshan.core.link.Link;
import org.eclipse.leshan.core.model.ObjectLoader;
import org.eclipse.leshan.core.model.ObjectModel;
import org.eclipse.leshan.core.model.ResourceModel;
import org.eclipse.leshan.core.node.LwM2mPath;
import org.eclipse.leshan.core.observation.CompositeObservation;
import org.eclipse.leshan.core.observation.Observation;
import org.eclipse.leshan.core.observation.SingleObservation;
import org.eclipse.leshan.core.request.CancelObservationRequest;
import org.eclipse.leshan.core.request.DownlinkRequest;
import org.eclipse.leshan.core.response.LwM2mResponse;
import org.eclipse.leshan.core.response.ObserveCompositeResponse;
import org.eclipse.leshan.core.response.ObserveResponse;
import org.eclipse.leshan.server.LeshanServer;
import org.eclipse.leshan.server.LeshanServerBuilder;
import org.eclipse.leshan.server.californium.endpoint.CaliforniumServerEndpointsProvider;
import org.eclipse.leshan.server.californium.endpoint.coap.CoapServerProtocolProvider;
import org.eclipse.leshan.server.californium.endpoint.coaps.CoapsServerProtocolProvider;
import org.eclipse.leshan.server.endpoint.LwM2mServerEndpoint;
import org.eclipse.leshan.server.model.StaticModelProvider;
import org.eclipse.leshan.server.observation.ObservationListener;
import org.eclipse.leshan.server.registration.Registration;
import org.eclipse.leshan.server.registration.RegistrationListener;
import org.eclipse.leshan.server.registration.RegistrationUpdate;
import org.eclipse.leshan.server.security.InMemorySecurityStore;
import org.eclipse.leshan.server.security.SecurityInfo;

/** Leshan with the object models, ports and keys of the first line, "start". */
final class Server implements RegistrationListener, ObservationListener {
    private static final long TIMEOUT_MS = 60_000;

    private final InMemorySecurityStore keys = new InMemorySecurityStore();
    private LeshanServer leshan;

    void stop() {
        if (leshan != null) {
            leshan.destroy();
        }
    }

    void handle(JsonNode line) throws Exception {
        JsonNode id = line.get("id");
        String op = line.path("op").asText();
        if (op.equals("start")) {
            reply(id, start(line));
        } else if (op.equals("key")) {
            keys.add(SecurityInfo.newPreSharedKeyInfo(line.get("endpoint").asText(), line.get("identity").asText(),
                    HexFormat.of().parseHex(line.get("key").asText())));
            reply(id, Main.JSON.createObjectNode());
        } else {
            Registration client = leshan.getRegistrationService().getByEndpoint(line.path("endpoint").asText());
            if (client == null) {
                throw new IllegalStateException("not registered");
            }
            if (op.equals("forget")) {
                // what Leshan calls a passive cancel: the next notification is reset
                int count = leshan.getObservationService().cancelObservations(client, line.get("path").asText());
                reply(id, Main.JSON.createObjectNode().put("count", count));
            } else {
                DownlinkRequest<? extends LwM2mResponse> request =
                        op.equals("cancel") ? cancel(client, line) : request(op, line);
                send(id, client, request);
            }
        }
    }

    private static DownlinkRequest<? extends LwM2mResponse> request(String op, JsonNode line) throws Exception {
        DownlinkRequest<? extends LwM2mResponse> request = Requests.build(op, line);
        if (request == null) {
            throw new IllegalArgumentException("no such op: " + op);
        }
        return request;
    }

    private DownlinkRequest<? extends LwM2mResponse> cancel(Registration client, JsonNode line) {
        LwM2mPath path = new LwM2mPath(line.get("path").asText());
        for (Observation each : leshan.getObservationService().getObservations(client)) {
            if (each instanceof SingleObservation && ((SingleObservation) each).getPath().equals(path)) {
                return new CancelObservationRequest((SingleObservation) each);
            }
        }
        throw new IllegalStateException("not observed: " + path);
    }

    private <T extends LwM2mResponse> void send(JsonNode id, Registration client, DownlinkRequest<T> request) {
        leshan.send(client, request, TIMEOUT_MS, response -> {
            ObjectNode out = Main.JSON.createObjectNode();
            Requests.describe(response, out);
            reply(id, out);
        }, problem -> Main.fail(id, problem));
    }

    private static void reply(JsonNode id, ObjectNode line) {
        line.set("id", id);
        Main.say(line);
    }

    private ObjectNode start(JsonNode line) throws Exception {
        CaliforniumServerEndpointsProvider.Builder endpoints = new CaliforniumServerEndpointsProvider.Builder(
                new CoapServerProtocolProvider(), new CoapsServerProtocolProvider());
        endpoints.setConfiguration(settings -> {
            settings.set(CoapConfig.PREFERRED_BLOCK_SIZE, line.path("block").asInt(1024));
            settings.set(CoapConfig.MAX_MESSAGE_SIZE, line.path("block").asInt(1024));
            settings.set(CoapConfig.MAX_RESOURCE_BODY_SIZE, 16 * 1024 * 1024);
            settings.set(DtlsConfig.DTLS_RECEIVER_THREAD_COUNT, 1);
            settings.set(DtlsConfig.DTLS_CONNECTOR_THREAD_COUNT, 1);
        });
        endpoints.addEndpoint(URI.create("coap://127.0.0.1:0"));
        endpoints.addEndpoint(URI.create("coaps://127.0.0.1:0"));
        List<ObjectModel> models = new ArrayList<>(ObjectLoader.loadAllDefault());
        line.path("models").forEach(model -> models.add(model(model)));
        leshan = new LeshanServerBuilder().setEndpointsProviders(endpoints.build()).setSecurityStore(keys)
                .setObjectModelProvider(new StaticModelProvider(models)).build();
        leshan.getRegistrationService().addListener(this);
        leshan.getObservationService().addListener(this);
        leshan.start();
        ObjectNode out = Main.JSON.createObjectNode();
        for (LwM2mServerEndpoint endpoint : leshan.getEndpoints()) {
            out.put(endpoint.getURI().getScheme(), endpoint.getURI().getPort());
        }
        return out;
    }

    private static ObjectModel model(JsonNode model) {
        List<ResourceModel> resources = new ArrayList<>();
        for (JsonNode resource : model.get("resources")) {
            resources.add(new ResourceModel(resource.get("id").asInt(), resource.get("name").asText(),
                    ResourceModel.Operations.valueOf(resource.get("operations").asText()),
                    resource.path("multiple").asBoolean(), false,
                    ResourceModel.Type.valueOf(resource.get("type").asText()), "", "", ""));
        }
        return new ObjectModel(model.get("id").asInt(), model.get("name").asText(), "",
                model.path("version").asText("1.0"), true, false, resources);
    }

    // --- events ---------------------------------------------------------------------------------------------

    private static ObjectNode event(String name, Registration client) {
        ObjectNode out = Main.JSON.createObjectNode().put("event", name);
        if (client != null) {
            out.put("endpoint", client.getEndpoint()).put("registration", client.getId());
            out.put("lifetime", client.getLifeTimeInSec()).put("version", client.getLwM2mVersion().toString());
            out.put("identity", String.valueOf(client.getClientTransportData().getIdentity()));
            out.put("port", client.getPort());
            ArrayNode links = out.putArray("links");
            for (Link link : client.getSortedObjectLinks()) {
                links.add(link.toCoreLinkFormat());
            }
            ArrayNode formats = out.putArray("formats");
            client.getSupportedContentFormats().forEach(format -> formats.add(format.getName()));
        }
        return out;
    }

    @Override
    public void registered(Registration client, Registration previous, Collection<Observation> observations) {
        Main.say(event("registered", client).put("again", previous != null));
    }

    @Override
    public void updated(RegistrationUpdate update, Registration client, Registration previous) {
        Main.say(event("updated", client).put("with_links", update.getObjectLinks() != null));
    }

    @Override
    public void unregistered(Registration client, Collection<Observation> observations, boolean expired,
            Registration next) {
        Main.say(event("unregistered", client).put("expired", expired).put("replaced", next != null));
    }

    @Override
    public void newObservation(Observation observation, Registration client) {
        // the answer to "observe" says so
    }

    @Override
    public void cancelled(Observation observation) {
        // the answer to "cancel" or "forget" says so
    }

    @Override
    public void onResponse(SingleObservation observation, Registration client, ObserveResponse response) {
        ObjectNode out = Main.JSON.createObjectNode().put("event", "notification");
        out.put("endpoint", client.getEndpoint()).put("path", observation.getPath().toString());
        Requests.describe(response, out);
        Main.say(out);
    }

    @Override
    public void onResponse(CompositeObservation observation, Registration client, ObserveCompositeResponse response) {
        throw new IllegalStateException("nothing here makes a composite observation");
    }

    @Override
    public void onError(Observation observation, Registration client, Exception problem) {
        Main.say(Main.JSON.createObjectNode().put("event", "observation-error").put("endpoint",
                client == null ? null : client.getEndpoint()).put("error", problem.toString()));
    }
}
