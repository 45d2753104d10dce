#include "torvyn/engine/compile_cache.h"

#include <fcntl.h>
#include <openssl/evp.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <string_view>
#include <utility>

#include "torvyn/types/file.h"

namespace torvyn::engine {
namespace {

using Digest = std::array<std::uint8_t, 32>;

constexpr std::string_view magic = "torvyn-code-1\n";
constexpr std::size_t header_bytes = magic.size() + std::tuple_size_v<Digest>;

Digest sha256(std::span<const std::uint8_t> first, std::string_view second = {}) {
  Digest digest{};
  EVP_MD_CTX* context = EVP_MD_CTX_new();
  EVP_DigestInit_ex(context, EVP_sha256(), nullptr);
  EVP_DigestUpdate(context, first.data(), first.size());
  EVP_DigestUpdate(context, second.data(), second.size());
  EVP_DigestFinal_ex(context, digest.data(), nullptr);
  EVP_MD_CTX_free(context);
  return digest;
}

std::string hexadecimal(const Digest& digest) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string text;
  for (const std::uint8_t byte : digest) {
    text += digits[static_cast<std::size_t>(byte >> 4)];
    text += digits[static_cast<std::size_t>(byte & 15)];
  }
  return text;
}

}  // namespace

std::string component_digest(std::span<const std::uint8_t> wasm) { return "sha256:" + hexadecimal(sha256(wasm)); }

Result<CompileCache> CompileCache::open(std::filesystem::path directory) {
  if (!directory.has_filename())
    directory = directory.parent_path();  // "compiled/": else the folder would pass for its own parent
  std::error_code error;
  std::filesystem::create_directories(directory.parent_path(), error);
  if (mkdir(directory.c_str(), 0700) != 0 && errno != EEXIST)
    return fail(io_error("cannot make the compile cache", directory.string(), errno));
  struct stat status{};
  if (stat(directory.c_str(), &status) != 0)
    return fail(io_error("cannot look at the compile cache", directory.string(), errno));
  if (!S_ISDIR(status.st_mode) || status.st_uid != geteuid() || (status.st_mode & 077) != 0)
    return fail(
        ErrorCode::io_failed,
        "the compile cache `" + directory.string() + "` is not a folder that only you can use: code in it will be run",
        "chmod 700 " + directory.string() + ", or name another folder with TORVYN_HOME");
  return CompileCache(std::move(directory));
}

std::string CompileCache::key(std::span<const std::uint8_t> wasm, std::string_view fingerprint) {
  return hexadecimal(sha256(wasm, fingerprint));
}

std::filesystem::path CompileCache::entry_path(const std::string& key) const { return directory_ / (key + ".code"); }

std::optional<std::vector<std::uint8_t>> CompileCache::load(const std::string& key) const {
  Result<std::vector<std::uint8_t>> file = read_file(entry_path(key));
  if (!file || file->size() < header_bytes) return std::nullopt;
  if (std::memcmp(file->data(), magic.data(), magic.size()) != 0) return std::nullopt;
  const std::span<const std::uint8_t> code = std::span(*file).subspan(header_bytes);
  // The key is part of what is signed for: an entry renamed to another key is not trusted either.
  const Digest digest = sha256(code, key);
  if (std::memcmp(file->data() + magic.size(), digest.data(), digest.size()) != 0) return std::nullopt;
  file->erase(file->begin(), file->begin() + header_bytes);
  return std::move(*file);
}

Status CompileCache::store(const std::string& key, std::span<const std::uint8_t> code) const {
  std::vector<std::uint8_t> header(magic.begin(), magic.end());
  const Digest digest = sha256(code, key);
  header.insert(header.end(), digest.begin(), digest.end());
  return replace_file(entry_path(key), {std::span<const std::uint8_t>(header), code}, 0600);
}

}  // namespace torvyn::engine
