// What a running host says about itself, and takes orders by, as answers to HTTP requests. docs/inspection-api.md tells of it, and
// `/openapi.json` describes it exactly.
#pragma once

#include <functional>
#include <string>

#include "torvyn/host/host.h"
#include "torvyn/host/http_server.h"

namespace torvyn::host {

struct InspectionOptions {
  std::string name;     // of the host
  std::string version;  // of Torvyn
  // The effective configuration as a JSON list, without secrets. Empty: it can't be asked for.
  std::function<std::string()> configuration;
  // Reads the manifest anew and applies it. Empty: it can't be asked for. Thread: several at once.
  std::function<Result<ReloadResult>(bool dry_run)> reload;
};

// All of it: for a socket that belongs to whoever runs the host, or behind a token. `host` outlives the handler.
HttpHandler inspection_handler(Host& host, InspectionOptions options);

// What anybody may see: `/healthz`, `/readyz` and `/metrics`.
HttpHandler probe_handler(Host& host);

// The API's description, OpenAPI 3.1 in JSON.
std::string_view openapi_json() noexcept;

}  // namespace torvyn::host
