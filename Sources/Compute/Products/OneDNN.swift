#if OneDNN
  import COneDNN
  import Foundation

  /// bfloat16 products by oneDNN, without its own threads: the pool shares out all work.
  enum BFloat16Backend {
    nonisolated(unsafe) private static let device: (engine: dnnl_engine_t?, status: dnnl_status_t) = {
      var engine: dnnl_engine_t?
      let status = dnnl_engine_create(&engine, dnnl_cpu, 0)
      return (engine, status)
    }()

    static var engine: dnnl_engine_t {
      check(device.status, "no engine")
      return device.engine!
    }

    /// Found by asking for a product, since what oneDNN can do depends on its build, the processor and ONEDNN_MAX_CPU_ISA.
    static let unavailable: String? = {
      if let reason = OneDNNThreading.unavailable { return reason }
      if device.status != dnnl_success { return "oneDNN does not start: \(text(device.status))" }
      let size = 16
      var (a, b, c) = (
        matrix(size, size, (size, 1), dnnl_bf16), matrix(size, size, (size, 1), dnnl_bf16),
        matrix(size, size, (size, 1), dnnl_f32)
      )
      var operation = dnnl_matmul_desc_t()
      check(dnnl_matmul_desc_init(&operation, &a, &b, nil, &c), "matrix multiplication")
      var description: dnnl_primitive_desc_t?
      let status = dnnl_primitive_desc_create(&description, &operation, nil, engine, nil)
      defer { dnnl_primitive_desc_destroy(description) }
      if status == dnnl_success && !implementation(description).hasPrefix("ref") { return nil }
      return "oneDNN has no bfloat16 multiplication for this processor (on x86 it needs AVX-512): float32 runs on any"
    }()

    static var isEmulated: Bool {
      #if arch(x86_64)
        let instructions = dnnl_get_effective_cpu_isa().rawValue
        return instructions & dnnl_cpu_isa_avx512_core_bf16.rawValue != dnnl_cpu_isa_avx512_core_bf16.rawValue
      #else
        return false
      #endif
    }

    static func multiply(
      _ product: Product, _ a: UnsafeMutableRawPointer, _ b: UnsafeMutableRawPointer, _ c: UnsafeMutableRawPointer
    ) {
      OneDNNThreading.stayHere()
      let thread = OneDNNThread.current
      let call = thread.call(for: product) { Self.call(for: product) }
      call.point(0, to: a)
      call.point(1, to: b)
      call.point(2, to: c)
      thread.run(call)
    }

    /// The call that computes a product.
    private static func call(for product: Product) -> OneDNNCall {
      precondition(unavailable == nil, "BFloat16.unavailable was not looked at")
      let a = matrix(
        product.rows, product.inner, product.transposing == .left ? (1, product.strideA) : (product.strideA, 1),
        dnnl_bf16)
      let b = matrix(
        product.inner, product.columns, product.transposing == .right ? (1, product.strideB) : (product.strideB, 1),
        dnnl_bf16)
      let c = matrix(product.rows, product.columns, (product.strideC, 1), product.isBFloat16 ? dnnl_bf16 : dnnl_f32)
      let description = describe(a, b, c, beta: product.beta)
      defer { dnnl_primitive_desc_destroy(description) }
      return OneDNNCall(description, [(DNNL_ARG_SRC, a), (DNNL_ARG_WEIGHTS_0, b), (DNNL_ARG_DST, c)])
    }

    /// c = a b + beta c, with scratch memory that the caller gives: oneDNN's own would be bound to a thread.
    private static func describe(
      _ a: dnnl_memory_desc_t, _ b: dnnl_memory_desc_t, _ c: dnnl_memory_desc_t, beta: Float
    ) -> dnnl_primitive_desc_t? {
      var (a, b, c) = (a, b, c)
      var operation = dnnl_matmul_desc_t()
      check(dnnl_matmul_desc_init(&operation, &a, &b, nil, &c), "matrix multiplication")
      var attributes: dnnl_primitive_attr_t?
      check(dnnl_primitive_attr_create(&attributes), "attributes")
      defer { dnnl_primitive_attr_destroy(attributes) }
      check(dnnl_primitive_attr_set_scratchpad_mode(attributes, dnnl_scratchpad_mode_user), "scratch memory")
      if beta != 0 {
        var after: dnnl_post_ops_t?
        check(dnnl_post_ops_create(&after), "sum")
        defer { dnnl_post_ops_destroy(after) }
        check(dnnl_post_ops_append_sum(after, beta), "sum")
        check(dnnl_primitive_attr_set_post_ops(attributes, after), "sum")
      }
      var description: dnnl_primitive_desc_t?
      check(dnnl_primitive_desc_create(&description, &operation, attributes, engine, nil), "matrix multiplication")
      return description
    }

    private static func matrix(
      _ rows: Int, _ columns: Int, _ strides: (Int, Int), _ type: dnnl_data_type_t
    ) -> dnnl_memory_desc_t {
      var descriptor = dnnl_memory_desc_t()
      let size = [Int64(rows), Int64(columns)]
      let steps = [Int64(strides.0), Int64(strides.1)]
      check(dnnl_memory_desc_init_by_strides(&descriptor, 2, size, type, steps), "a matrix of \(rows) × \(columns)")
      return descriptor
    }

    private static func implementation(_ description: dnnl_primitive_desc_t?) -> String {
      var name: UnsafePointer<CChar>?
      let status = dnnl_primitive_desc_query(description, dnnl_query_impl_info_str, 0, &name)
      return status == dnnl_success ? name.map { String(cString: $0) } ?? "" : ""
    }

    /// After `unavailable` was checked, only a lack of memory or a mistake here can fail.
    static func check(_ status: dnnl_status_t, _ what: String) {
      if status != dnnl_success { fatalError("oneDNN: \(what): \(text(status))") }
    }

    private static func text(_ status: dnnl_status_t) -> String {
      switch status {
      case dnnl_out_of_memory: "out of memory"
      case dnnl_invalid_arguments: "invalid arguments"
      case dnnl_unimplemented: "not implemented"
      default: "status \(status.rawValue)"
      }
    }
  }
#endif
