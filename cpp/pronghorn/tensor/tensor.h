// A dtype, a shape and contiguous memory in row-major order.
#pragma once

#include <memory>
#include <ostream>

#include "pronghorn/base/dtype.h"
#include "pronghorn/base/shape.h"
#include "pronghorn/tensor/buffer.h"

namespace pronghorn {

struct TensorType {
  DType dtype = DType::kFloat32;
  Shape shape;

  int64_t size() const { return shape.size(); }
  size_t bytes() const { return static_cast<size_t>(shape.size()) * size_of(dtype); }
  friend bool operator==(const TensorType& a, const TensorType& b) = default;
};

// "float32(32, 784)"
inline std::ostream& operator<<(std::ostream& out, const TensorType& type) {
  return out << type.dtype << type.shape;
}

class Tensor {
 public:
  Tensor() = default;
  explicit Tensor(const TensorType& type)
      : type_(type), buffer_(std::make_shared<Buffer>(type.bytes())) {}
  Tensor(const TensorType& type, std::shared_ptr<Buffer> buffer)
      : type_(type), buffer_(std::move(buffer)) {}

  // A rank-0 tensor.
  template <typename T>
  static Tensor scalar(DType dtype, T value) {
    Tensor t(TensorType{dtype, {}});
    *static_cast<T*>(t.data()) = value;
    return t;
  }

  const TensorType& type() const { return type_; }
  DType dtype() const { return type_.dtype; }
  const Shape& shape() const { return type_.shape; }
  void* data() const { return buffer_ ? buffer_->data() : nullptr; }
  const std::shared_ptr<Buffer>& buffer() const { return buffer_; }
  explicit operator bool() const { return buffer_ != nullptr; }

 private:
  TensorType type_;
  std::shared_ptr<Buffer> buffer_;
};

}  // namespace pronghorn
