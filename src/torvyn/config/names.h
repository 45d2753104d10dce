// What a name may look like.
#pragma once

#include <string_view>

namespace torvyn::config {

// Names of flows, nodes and components: up to 64 letters, digits, hyphens and underscores, not beginning with a hyphen. No
// dots: "node.port" must be readable.
bool is_name(std::string_view text) noexcept;

// Names of projects: up to 64 lowercase letters, digits and hyphens, beginning and ending with a letter or digit.
bool is_project_name(std::string_view text) noexcept;

// "1.2.3", "0.1.0-rc.1", "1.0.0+build.5": semver.org, version 2.0.0.
bool is_semver(std::string_view text) noexcept;

// "text/plain", "application/*": a media type without parameters; the part behind the slash may be "*".
bool is_content_type(std::string_view text) noexcept;

// "127.0.0.1:9464", "[::1]:80", "localhost:0": something before the last colon and a port behind it.
bool is_address(std::string_view text) noexcept;

// Whether the address, if it is one, is of this machine alone: 127.x.x.x, [::1] or localhost.
bool is_loopback(std::string_view address) noexcept;

}  // namespace torvyn::config
