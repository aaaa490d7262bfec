// Tables of events for pictures that the two send each other: what is sent again by itself.
import { matched, same, waiting } from "./reduce.mjs";

const key = "abcdefghijklmnopqrstu_";
const gone = (id) => [{ type: "upload", id, key }, ["photo.posted", { id, status: 404 }]];

/** A chat in which a picture is sent. */
function sending() {
  const run = waiting().then({ ...matched, pictures: true }, ["photo.allow", { on: true }], { type: "pictures", allow: true });
  return run.then(["photo.prepared", { url: "blob:1", bytes: 9 }], ["photo.give"]);
}
const photo = (run) => run.state.chat.lines.find((line) => line.photo).photo;

export const cases = {
  "a picture whose key is gone is sent once more by itself, and then it is said": () => {
    const run = sending();
    const { id } = photo(run);
    same(run.frames, [{ type: "picture", id }]);
    same(run.then(...gone(id)).frames, [{ type: "picture", id }]);
    same(photo(run).state, "sending");
    same([run.then(...gone(id)).frames, photo(run).state], [[], "failed"]);
  },
  "a picture without a result is sent once more by itself, and one that was refused is not": () => {
    const run = sending();
    const { id } = photo(run);
    run.then({ type: "upload", id, key }, ["photo.posted", { id, status: 204 }]);
    run.now += 60_000;
    same(run.then(["timer.photo"]).frames, [{ type: "picture", id }]);
    same(run.then({ type: "error", code: "no_picture", of: "picture", id, message: "m" }).frames, []);
    same([photo(run).state, photo(run).why], ["failed", "not"]);
    same(run.then(["timer.photo"]).frames, []);
  },
};
