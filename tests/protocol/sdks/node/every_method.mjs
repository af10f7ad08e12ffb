// Calls every method of @api.video/nodejs-client against one server and prints, as one line of JSON, what came back.
//
//   node every_method.mjs '{"url", "key", "files": {"small", "big", "pieces": [...], "jpeg", "png", "vtt"}, "address"}'
//
// Nothing is judged here: test_node.py reads {"offered": [...], "called": [...], "told": {scenario: {...}}}.

import { createReadStream, readdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";

const require = createRequire(import.meta.url);
const ApiVideoClient = require("@api.video/nodejs-client");
const folder = join(dirname(require.resolve("@api.video/nodejs-client")), "api");
const { url, key, files, address } = JSON.parse(process.argv[2]);

const fieldOf = kind => (kind[0].toLowerCase() + kind.slice(1)).replace(/Api$/, "");
const kinds = readdirSync(folder).filter(name => name.endsWith("Api.js")).map(name => name.slice(0, -3));
const offered = kinds.flatMap(kind => {
    const names = Object.getOwnPropertyNames(require(join(folder, kind)).default.prototype);
    return names.filter(name => name !== "constructor").map(name => `${fieldOf(kind)}.${name}`);
});

const called = new Set();
// Notes every call, also those that the package makes of its own methods.
const watched = (name, api) => new Proxy(api, {
    get(target, member) {
        const value = target[member];
        if (typeof value !== "function") return value;
        return function (...given) {
            called.add(`${name}.${member}`);
            return value.apply(this, given);
        };
    },
});

function connect(apiKey) {
    const client = new ApiVideoClient({
        apiKey, baseUri: url, chunkSize: 5 * 2 ** 20, applicationName: "tests", applicationVersion: "1.0.0",
    });
    const apis = Object.fromEntries(kinds.map(kind => {
        const api = new (require(join(folder, kind)).default)(client.httpClient);
        return [fieldOf(kind), watched(fieldOf(kind), client[fieldOf(kind)] ?? api)];
    }));
    return { client, ...apis };
}

const refusal = error => ({ code: error.code, title: error.message, slug: error.problemDetails?.type?.split("/").pop() });
const refused = call => Promise.resolve().then(call).then(() => "accepted", refusal);
const of = (list, name) => list.data.map(one => one[name]);

async function until(condition) {
    for (const deadline = Date.now() + 60_000; Date.now() < deadline;) {
        if (await condition()) return true;
        await new Promise(resolve => setTimeout(resolve, 50));
    }
    return false;
}

const sdk = connect(key);
const { videos } = sdk;
const create = async title => (await videos.create({ title })).videoId;
const isPlayable = videoId => async () => (await videos.getStatus(videoId)).encoding.playable;

const scenarios = {
    async logins() {
        const login = await sdk.client.getAccessToken();
        const again = await sdk.advancedAuthentication.authenticate({ apiKey: key });
        const renewed = await sdk.advancedAuthentication.refresh({ refreshToken: login.refreshToken });
        return {
            types: [login.tokenType, again.token_type ?? again.tokenType, renewed.token_type ?? renewed.tokenType],
            twice: await refused(() => sdk.advancedAuthentication.refresh({ refreshToken: login.refreshToken })),
            wrong: await refused(() => connect("nobody").videos.list()),
            missing: await refused(() => connect(undefined).videos.list()),
        };
    },

    async uploads() {
        const whole = await create("whole"), cut = await create("cut"), session = await create("session");
        const heard = [];
        const first = await videos.upload(whole, files.small);
        const second = await videos.upload(cut, files.big, event => heard.push(event.totalBytes));
        const progressive = videos.createUploadProgressiveSession(session);
        const parts = [];
        for (const piece of files.pieces.slice(0, -1)) parts.push((await progressive.uploadPart(piece)).videoId);
        const halfway = await videos.getStatus(session);
        const third = await progressive.uploadLastPart(files.pieces.at(-1));
        const twice = await refused(() => videos.upload(whole, files.big));
        const statuses = [];
        for (const id of [whole, cut, session]) statuses.push(await videos.getStatus(id));
        return {
            ids: [whole, cut, session], answered: [first, second, third].map(video => video.videoId), parts,
            titles: [first, second, third].map(video => video.title), heard: heard.length > 0,
            halfway: [halfway.ingest.status, halfway.ingest.receivedParts, halfway.encoding.playable],
            statuses: statuses.map(one => [one.ingest.status, one.ingest.filesize, one.encoding.playable]), twice,
        };
    },

    async uploadTokens() {
        const made = await sdk.uploadTokens.createToken(), brief = await sdk.uploadTokens.createToken({ ttl: 60 });
        const small = await connect(undefined).videos.uploadWithUploadToken(made.token, files.small);
        const big = await refused(() => videos.uploadWithUploadToken(made.token, files.big));
        const session = videos.createUploadWithUploadTokenProgressiveSession(brief.token);
        const parts = [];
        for (const piece of files.pieces.slice(0, -1)) parts.push((await session.uploadPart(piece)).videoId);
        const last = await session.uploadLastPart(files.pieces.at(-1));
        const listed = await sdk.uploadTokens.list({ sortBy: "ttl", sortOrder: "desc", pageSize: 100 });
        const got = await sdk.uploadTokens.getToken(brief.token);
        await sdk.uploadTokens.deleteToken(brief.token);
        return {
            ttls: [made.ttl, brief.ttl, got.ttl], listed: of(listed, "token").includes(made.token),
            small: [small.videoId, small.title], big, session: [last.videoId, last.title], parts,
            gone: await refused(() => sdk.uploadTokens.getToken(brief.token)),
            dead: await refused(() => videos.uploadWithUploadToken(brief.token, files.small)),
        };
    },

    async records() {
        const made = await videos.create({
            title: "node record", description: "a description", _public: true, panoramic: true, mp4Support: false,
            tags: ["one two", "three"], metadata: [{ key: "k", value: "v" }], language: "de",
            clip: { startTimecode: "00:00:01", endTimecode: "00:00:05" },
        });
        const listed = await videos.list({ title: "NODE REC", tags: ["three"], metadata: { k: "v" }, pageSize: 10 });
        const changed = await videos.update(made.videoId, { title: "changed", tags: [], metadata: [], mp4Support: true });
        const got = await videos.get(made.videoId);
        const empty = await videos.getStatus(made.videoId);
        const withHeaders = await videos.getWithResponseHeaders(made.videoId);
        return {
            id: made.videoId, listed: of(listed, "videoId"), pagination: listed.pagination,
            made: [made.description, made._public, made.panoramic, made.mp4Support, made.tags, made.metadata, made.language],
            changed: [changed.title, changed.tags, changed.metadata, changed.mp4Support], got: [got.title, got.assets],
            isDate: made.createdAt instanceof Date, empty: [empty.ingest, empty.encoding.playable],
            limits: Object.keys(withHeaders.headers).filter(name => name.startsWith("x-ratelimit")).sort(),
            untitled: await refused(() => videos.create({ description: "no title" })),
        };
    },

    async trash() {
        const videoId = await create("node trash");
        await videos.delete(videoId);
        const gone = await refused(() => videos.get(videoId));
        const listed = await videos.listDiscarded({ title: "node trash" });
        const got = await videos.getDiscarded(videoId);
        const back = await videos.updateDiscarded(videoId, { discarded: false });
        return {
            id: videoId, gone, listed: of(listed, "videoId"), got: [got.discarded, typeof got.deletesAt],
            back: [back.discarded, (await videos.get(videoId)).title],
        };
    },

    async thumbnails() {
        const videoId = await create("node thumbnail");
        const uploaded = await videos.uploadThumbnail(videoId, files.jpeg);
        const picked = await videos.pickThumbnail(videoId, { timecode: "00:15:22.05" });
        const buffered = await videos.uploadThumbnail(videoId, readFileSync(files.jpeg));
        return { id: videoId, shown: [uploaded, picked, buffered].map(video => video.assets.thumbnail) };
    },

    async sources() {
        const fetched = (await videos.create({ title: "node fetched", source: address })).videoId;
        const isFetched = await until(isPlayable(fetched));
        const cloned = (await videos.create({ title: "node cloned", source: fetched })).videoId;
        const isCloned = await until(isPlayable(cloned));
        return {
            ids: [fetched, cloned], are: [isFetched, isCloned], status: (await videos.getStatus(fetched)).ingest.status,
            locked: await refused(() => videos.upload(cloned, files.small)),
        };
    },

    async captions() {
        const videoId = await create("node captions");
        const made = await sdk.captions.upload(videoId, "fr-CA", files.vtt);
        const changed = await sdk.captions.update(videoId, "fr-CA", { _default: true });
        const got = await sdk.captions.get(videoId, "fr-CA");
        const listed = await sdk.captions.list({ videoId, currentPage: 1, pageSize: 10 });
        await sdk.captions.delete(videoId, "fr-CA");
        return {
            id: videoId, made, changed: changed._default, got: got.src === made.src, listed: of(listed, "srclang"),
            gone: await refused(() => sdk.captions.get(videoId, "fr-CA")),
            wrong: await refused(() => sdk.captions.upload(videoId, "not_a_language", files.vtt)),
        };
    },

    async chapters() {
        const videoId = await create("node chapters");
        const made = await sdk.chapters.upload(videoId, "en", createReadStream(files.vtt));
        const got = await sdk.chapters.get(videoId, "en");
        const listed = await sdk.chapters.list({ videoId });
        await sdk.chapters.delete(videoId, "en");
        return {
            id: videoId, made, got: got.src === made.src, listed: of(listed, "language"),
            gone: await refused(() => sdk.chapters.get(videoId, "en")),
        };
    },

    async watermarks() {
        const { watermarkId } = await sdk.watermarks.upload(files.png);
        const marked = await videos.create({ title: "node marked", watermark: { id: watermarkId, top: "1px", left: "1px" } });
        const listed = await sdk.watermarks.list({ sortBy: "createdAt", sortOrder: "desc" });
        await sdk.watermarks.delete(watermarkId);
        return {
            id: watermarkId, marked: marked.title, listed: of(listed, "watermarkId").includes(watermarkId),
            gone: await refused(() => sdk.watermarks.delete(watermarkId)),
        };
    },

    async tags() {
        await videos.create({ title: "node tagged", tags: ["Née de Node"] });
        return { found: (await sdk.tags.list({ value: "NEE DE", sortBy: "value", sortOrder: "asc" })).data };
    },

    async playerThemes() {
        const { playerThemes } = sdk;
        const made = await playerThemes.create({ name: "node", text: "rgba(255, 255, 255, .95)", forceLoop: true });
        const { playerId } = made;
        const changed = await playerThemes.update(playerId, { name: "changed", enableApi: false });
        const got = await playerThemes.get(playerId);
        const listed = await playerThemes.list({ sortBy: "createdAt", sortOrder: "desc", pageSize: 100 });
        const themed = await playerThemes.uploadLogo(playerId, files.png, "https://example.com/");
        await playerThemes.deleteLogo(playerId);
        const bare = await playerThemes.get(playerId);
        await playerThemes.delete(playerId);
        return {
            id: playerId, made: [made.name, made.text, made.forceLoop, made.enableApi],
            changed: [changed.name, changed.enableApi, changed.text], got: got.name,
            listed: of(listed, "playerId").includes(playerId), logo: [typeof themed.assets.logo, themed.assets.link],
            bare: bare.assets?.logo ?? null, gone: await refused(() => playerThemes.get(playerId)),
        };
    },

    async summaries() {
        const videoId = await create("node summary");
        const made = await sdk.summaries.create({ videoId });
        const again = await refused(() => sdk.summaries.create({ videoId }));
        const written = await sdk.summaries.update(made.summaryId, { _abstract: "short", takeaways: ["one"] });
        const source = await sdk.summaries.getSummarySource(made.summaryId);
        const listed = await sdk.summaries.list({ videoId, sortBy: "createdAt" });
        await sdk.summaries.delete(made.summaryId);
        return {
            id: made.summaryId, made: [made.videoId === videoId, made.sourceStatus], again, written, source,
            listed: of(listed, "summaryId"), gone: await refused(() => sdk.summaries.getSummarySource(made.summaryId)),
        };
    },

    async webhooks() {
        const wanted = { events: ["video.encoding.quality.completed"], url: "https://example.com/node" };
        const made = await sdk.webhooks.create(wanted);
        const got = await sdk.webhooks.get(made.webhookId);
        const listed = await sdk.webhooks.list({ events: wanted.events[0], pageSize: 100 });
        await sdk.webhooks.delete(made.webhookId);
        return {
            id: made.webhookId, made: [made.events, made.url, typeof made.signatureSecret], got: got.webhookId,
            listed: of(listed, "webhookId").includes(made.webhookId),
            gone: await refused(() => sdk.webhooks.get(made.webhookId)),
            without: await refused(() => sdk.webhooks.create({ events: wanted.events })),
        };
    },

    async analytics() {
        const { analytics } = sdk;
        const from = new Date(Date.now() - 86_400_000);
        const total = await analytics.getAggregatedMetrics({ metric: "view", aggregation: "count", from, viewDuration: "3s" });
        const broken = await analytics.getMetricsBreakdown({ metric: "play", breakdown: "media-id", filterBy: { tag: "x" } });
        const time = await analytics.getMetricsOverTime({ metric: "play", interval: "day" });
        return {
            total: [total.context.metric, total.context.aggregation, total.data],
            broken: [broken.context.breakdown, broken.data], time: [time.context.interval, time.data],
        };
    },

    async liveStreams() {
        const { liveStreams } = sdk;
        return {
            listed: (await liveStreams.list()).data,
            create: await refused(() => liveStreams.create({ name: "live" })),
            named: [
                await refused(() => liveStreams.get("li0")),
                await refused(() => liveStreams.update("li0", { name: "x" })),
                await refused(() => liveStreams.delete("li0")),
                await refused(() => liveStreams.complete("li0")),
                await refused(() => liveStreams.uploadThumbnail("li0", files.jpeg)),
                await refused(() => liveStreams.deleteThumbnail("li0")),
            ],
        };
    },
};

const told = {};
for (const [name, scenario] of Object.entries(scenarios)) {
    told[name] = await scenario().catch(error => ({ failure: { ...refusal(error), stack: String(error.stack) } }));
}
process.stdout.write(JSON.stringify({ offered, called: [...called], told }) + "\n");
