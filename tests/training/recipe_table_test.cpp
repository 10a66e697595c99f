#include "training/recipe_table.h"

#include "training/written_recipe.h"

namespace jina {
namespace {

using testing::ElementsAre;

enum class Colour : uint8_t { kRed, kBlue };
constexpr std::array<std::pair<std::string_view, Colour>, 2> kColours{{{"red", Colour::kRed}, {"blue", Colour::kBlue}}};

class RecipeTableTest : public testing::Test {
 protected:
  RecipeTable table(const std::string& text) {
    parsed_ = toml::parse(text, std::string("r.toml"));
    return RecipeTable(parsed_, "r.toml");
  }
  template <typename T>  // what the key holds
  void expect_refused(const std::string& text, const std::string& part, Bounds bounds) {
    RecipeTable read = table(text);
    T value{};
    test::expect_error(ErrorKind::kInvalidInput, part, [&] { read.read("x", value, bounds); });
  }
  template <typename T>  // what the key holds
  void expect_refused(const std::string& text, const std::string& part) {
    RecipeTable read = table(text);
    T value{};
    test::expect_error(ErrorKind::kInvalidInput, part, [&] { read.read("x", value); });
  }

 private:
  toml::table parsed_;
};

TEST_F(RecipeTableTest, AbsentKeysLeaveTheValue) {
  RecipeTable read = table("y = 1");
  int64_t number = 5;
  std::string text = "kept";
  std::optional<double> rate;
  read.read("x", number, kAboveZero);
  read.read("x", text);
  read.read("x", rate, kAboveZero);
  EXPECT_EQ(number, 5);
  EXPECT_EQ(text, "kept");
  EXPECT_FALSE(rate);
}

TEST_F(RecipeTableTest, Types) {
  expect_refused<int64_t>("x = 1.0", "r.toml:1: 'x': expected a whole number, found 1.0", Bounds{});
  expect_refused<int64_t>("\nx = \"1\"", "r.toml:2: 'x': expected a whole number above 0, found '1'", kAboveZero);
  expect_refused<double>("x = true", "expected a number, found true", Bounds{});
  expect_refused<double>("x = nan", "expected a number", Bounds{});
  expect_refused<double>("x = inf", "expected a number", Bounds{});
  expect_refused<std::string>("x = 1", "expected a string, found 1");
  expect_refused<bool>("x = 1", "expected true or false, found 1");
  expect_refused<std::vector<std::string>>("x = [\"a\", 1]", "expected a list of strings");
  expect_refused<std::vector<std::string>>("x = { a = 1 }", "expected a list of strings, found a table");
  expect_refused<std::vector<int64_t>>("x = [1, 0]", "expected a list of whole numbers, above 0", kAboveZero);
  expect_refused<std::vector<int64_t>>("x = 1", "expected a list of whole numbers", Bounds{});
  RecipeTable read = table("x = 3\nlist = \"one\"");
  double number = 0;
  std::vector<std::string> list;
  read.read("x", number, kAboveZero);
  read.read("list", list);
  EXPECT_EQ(number, 3) << "a whole number is a number";
  EXPECT_THAT(list, ElementsAre("one"));
}

TEST_F(RecipeTableTest, Ranges) {
  expect_refused<int64_t>("x = 0", "expected a whole number above 0, found 0", kAboveZero);
  expect_refused<double>("x = -0.5", "expected a number of at least 0, found -0.5", kZeroOrMore);
  expect_refused<double>("x = 1.5", "expected a number between 0 and 1, found 1.5", kShare);
  expect_refused<double>("x = 1", "expected a number between 0 and 1, both excluded, found 1", kInsideZeroOne);
  expect_refused<double>("x = 0.0", "both excluded", kInsideZeroOne);
  expect_refused<int>("x = 5_000_000_000", "expected a whole number", kZeroOrMore);
  RecipeTable read = table("x = 1");
  double share = 0;
  read.read("x", share, kShare);
  EXPECT_EQ(share, 1);
}

TEST_F(RecipeTableTest, ClosedSets) {
  Colour colour = Colour::kRed;
  const std::span<const std::pair<std::string_view, Colour>> colours(kColours);
  table("x = \"blue\"").read("x", colour, colours);
  EXPECT_EQ(colour, Colour::kBlue);
  test::expect_error(ErrorKind::kInvalidInput, "'x': expected one of red, blue, found 'green'",
                     [&] { table("x = \"green\"").read("x", colour, colours); });
}

TEST_F(RecipeTableTest, TablesWithin) {
  RecipeTable read = table("[one]\nx = 1\n[[many]]\nx = 2\n[[many]]\nx = 3\n");
  EXPECT_TRUE(read.table("one")->has("x"));
  EXPECT_EQ(read.tables("many").size(), 2u);
  EXPECT_EQ(read.tables("many")[1].where(), "r.toml:5");
  EXPECT_FALSE(read.table("none"));
  test::expect_error(ErrorKind::kInvalidInput, "expected tables ([[one]])", [&] { read.tables("one"); });
  test::expect_error(ErrorKind::kInvalidInput, "expected a table ([many])", [&] { read.table("many"); });
}

TEST_F(RecipeTableTest, NobodyAsked) {
  RecipeTable read = table("seed = 1\n\nsteps = 2\n");
  read.take("seed");
  EXPECT_THAT(read.untaken(), ElementsAre("steps"));
  test::expect_error(ErrorKind::kInvalidInput, "r.toml:3: unknown key 'steps'", [&] { read.finish(); });
  read.take("steps");
  EXPECT_NO_THROW(read.finish());
}

TEST(NearestName, ByEdits) {
  EXPECT_EQ(nearest_name("stpes", {"seed", "steps", "batch"}), "steps");
  EXPECT_EQ(nearest_name("warm_up", {"warmup", "clip"}), "warmup");
  EXPECT_EQ(nearest_name("learningrate", {"learning_rate", "rate"}), "learning_rate");
  EXPECT_EQ(nearest_name("quux", {"learning_rate", "clip"}), "");
  EXPECT_EQ(nearest_name("x", {}), "");
}

}  // namespace
}  // namespace jina
