#include "torvyn/cli/doctor.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <limits>

namespace torvyn::cli {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

namespace fs = std::filesystem;

constexpr std::uint64_t no_limit = std::numeric_limits<std::uint64_t>::max();

class Folder {
 public:
  Folder() {
    std::string path = (fs::temp_directory_path() / "torvyn-doctor-XXXXXX").string();
    if (mkdtemp(path.data()) == nullptr) std::abort();
    path_ = path;
  }
  ~Folder() { fs::remove_all(path_); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

Finding wrong(std::string area, std::string fix, bool needed) {
  return {
      .area = std::move(area), .what = "x", .found = {}, .problem = "gone", .fix = std::move(fix), .needed = needed};
}

std::vector<std::string> commands(const std::vector<Finding>& findings) {
  std::vector<std::string> texts;
  for (const Finding* finding : to_fix(findings)) texts.push_back(finding->fix);
  return texts;
}

TEST(DoctorCache, IsGoodWhereItIsOursAlone) {
  const Folder folder;
  const fs::path cache = folder.path() / "compiled";
  EXPECT_THAT(examine_cache(cache).found, HasSubstr("not there yet"));
  EXPECT_FALSE(fs::exists(cache)) << "looking changes nothing";
  fs::create_directory(cache);
  fs::permissions(cache, fs::perms::owner_all);
  std::ofstream(cache / "a.code") << "1234";
  const Finding finding = examine_cache(cache);
  EXPECT_TRUE(finding.ok());
  EXPECT_THAT(finding.found, HasSubstr("1 component, 4 B"));
}

TEST(DoctorCache, IsRefusedWhereOthersMayWriteToIt) {
  const Folder folder;
  fs::permissions(folder.path(), fs::perms::all);
  const Finding open = examine_cache(folder.path());
  EXPECT_THAT(open.problem, HasSubstr("others may use it"));
  EXPECT_EQ(open.fix, "chmod 700 " + folder.path().string());

  const fs::path blank = folder.path() / "it's mine";
  fs::create_directory(blank);
  fs::permissions(blank, fs::perms::all);
  EXPECT_EQ(examine_cache(blank).fix, "chmod 700 '" + folder.path().string() + "/it'\\''s mine'");

  std::ofstream(folder.path() / "file") << "";
  EXPECT_THAT(examine_cache(folder.path() / "file").problem, HasSubstr("no folder"));
  EXPECT_FALSE(examine_cache("").ok());
}

TEST(DoctorKernel, ComparesMappingsWithTheInstancesAllowed) {
  const Folder proc;
  fs::create_directory(proc.path() / "vm");
  std::ofstream(proc.path() / "vm" / "max_map_count") << "65530\n";
  EXPECT_TRUE(examine_kernel(proc.path(), no_limit, 16384)[0].ok());
  const Finding few = examine_kernel(proc.path(), no_limit, 100'000)[0];
  EXPECT_THAT(few.problem, HasSubstr("304,096"));
  EXPECT_EQ(few.fix, "sysctl -w vm.max_map_count=304096");
  EXPECT_TRUE(few.needs_root);
  EXPECT_TRUE(examine_kernel("/nowhere", no_limit, 16384)[0].ok()) << "what isn't told isn't wrong";
}

TEST(DoctorKernel, ComparesAddressSpaceWithThePool) {
  EXPECT_TRUE(examine_kernel("/nowhere", no_limit, 16384)[1].ok());
  const Finding small = examine_kernel("/nowhere", std::uint64_t{8} << 30, 16384)[1];
  EXPECT_THAT(small.problem, HasSubstr("ulimit -v unlimited"));
  EXPECT_EQ(small.found, "8 GiB");
  EXPECT_TRUE(examine_kernel("/nowhere", std::uint64_t{8} << 30, 2)[1].ok());
}

TEST(DoctorFix, RunsWhatIsNeededFirstAndNothingTwice) {
  EXPECT_THAT(commands({wrong("c", "apt c", true), wrong("cpp", "apt c", true), wrong("go", "get go", false)}),
              ElementsAre("apt c"));
  EXPECT_THAT(commands({wrong("c", "apt c", false), wrong("go", "get go", false)}), ElementsAre("apt c", "get go"));
  EXPECT_THAT(commands({wrong("cache", "", true)}), IsEmpty());
}

TEST(DoctorView, ShowsWhatIsMissingAndTheWayOut) {
  const std::vector<Finding> findings = {
      {.area = "c", .what = "clang", .found = "/usr/bin/clang (19.1.7)", .problem = {}, .fix = {}},
      {.area = "go",
       .what = "go",
       .found = "/usr/bin/go (1.19)",
       .problem = "too old",
       .fix = "get go",
       .needed = false}};
  EXPECT_EQ(draw_findings(findings, Palette()),
            " c   clang  ok       /usr/bin/clang (19.1.7)\n"
            " go  go     missing  too old\n"
            "            found    /usr/bin/go (1.19)\n"
            "            fix      get go\n");
}

}  // namespace
}  // namespace torvyn::cli
