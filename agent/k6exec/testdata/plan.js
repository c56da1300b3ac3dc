import http from "k6/http";
import encoding from "k6/encoding";
import { sleep } from "k6";

const plan = JSON.parse("{\"options\":{\"discardResponseBodies\":true,\"noConnectionReuse\":true,\"scenarios\":{\"read\":{\"duration\":\"1m30s\",\"exec\":\"run0\",\"executor\":\"constant-vus\",\"gracefulStop\":\"0s\",\"startTime\":\"0s\",\"tags\":{\"kind\":\"get\"},\"vus\":5},\"write\":{\"duration\":\"30s\",\"exec\":\"run1\",\"executor\":\"constant-arrival-rate\",\"gracefulStop\":\"30s\",\"maxVUs\":9,\"preAllocatedVUs\":2,\"rate\":7,\"startTime\":\"1s\",\"timeUnit\":\"1s\"}},\"thresholds\":{\"http_reqs\":[{\"threshold\":\"count\\u003e1\"},{\"abortOnFail\":true,\"delayAbortEval\":\"5s\",\"threshold\":\"rate\\u003e1\"}]},\"userAgent\":\"Broadside/test\"},\"requests\":[{\"method\":\"GET\",\"url\":\"http://127.0.0.1:1/%C3%A4?q=%C3%A4\",\"body\":null,\"params\":{\"headers\":{},\"redirects\":0,\"timeout\":2},\"expected\":[{\"max\":299,\"min\":200},{\"max\":404,\"min\":404}],\"pause\":1.5},{\"method\":\"POST\",\"url\":\"http://127.0.0.1:1/\",\"body\":\"{\\\"a\\\":1}\",\"params\":{\"headers\":{\"Content-Type\":\"application/json\"},\"redirects\":10,\"timeout\":60000},\"expected\":[{\"max\":399,\"min\":200}],\"pause\":0}]}");
export const options = plan.options;

const requests = plan.requests.map((r) => {
  if (http.expectedStatuses) { // since k6 v0.31
    r.params.responseCallback = http.expectedStatuses.apply(null, r.expected);
  }
  if (r.base64 !== undefined) {
    r.body = encoding.b64decode(r.base64);
  }
  return r;
});

function send(i) {
  const r = requests[i];
  http.request(r.method, r.url, r.body, r.params);
  if (r.pause > 0) {
    sleep(r.pause);
  }
}

export function run0() {
  send(0);
}

export function run1() {
  send(1);
}
