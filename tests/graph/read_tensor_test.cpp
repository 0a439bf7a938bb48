#include "ocs/graph/read_tensor.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ocs/core/error.h"
#include "support/text_model.h"

namespace ocs {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::ThrowsMessage;

TEST(ReadTensor, TakesTheInitializerOfThatName) {
  const Model model = text_model(R"(
    input x float[1, 2];
    init a float[1, 2] {1, 2};
    init b float[2] {3, 4};
    s: y = Add(x, a);
    t: z = Add(y, b);
    output z;
  )");
  const Tensor tensor = read_tensor(Graph(model), "b");
  EXPECT_THAT(tensor.shape, ElementsAre(2));
  EXPECT_THAT(tensor.as<float>(), ElementsAre(3, 4));
  EXPECT_THAT([&] { return read_tensor(Graph(model), "x"); },
              ThrowsMessage<Error>(HasSubstr("no initializer 'x'")));
}

}  // namespace
}  // namespace ocs
