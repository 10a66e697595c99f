#include <gtest/gtest.h>

// Expected to fail (WILL_FAIL in CMakeLists.txt): it proves that a failing test is seen.
TEST(Canary, Fails) { EXPECT_EQ(1, 2); }
