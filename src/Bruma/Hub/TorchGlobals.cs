namespace Bruma.Hub;

/// <summary>What the names in a torch pickle stand for: tensors, storages and plain containers; other classes become <see cref="PickleOpaque"/>, other calls are refused.</summary>
internal static class TorchGlobals
{
    private static readonly Dictionary<string, string> StorageTypes = new(StringComparer.Ordinal)
    {
        ["DoubleStorage"] = "F64",
        ["FloatStorage"] = "F32",
        ["HalfStorage"] = "F16",
        ["BFloat16Storage"] = "BF16",
        ["LongStorage"] = "I64",
        ["IntStorage"] = "I32",
        ["ShortStorage"] = "I16",
        ["CharStorage"] = "I8",
        ["ByteStorage"] = "U8",
        ["BoolStorage"] = "BOOL",
    };

    private static readonly Dictionary<string, string> ElementTypes = new(StringComparer.Ordinal)
    {
        ["float64"] = "F64",
        ["float32"] = "F32",
        ["float16"] = "F16",
        ["bfloat16"] = "BF16",
        ["float8_e4m3fn"] = "F8_E4M3",
        ["float8_e5m2"] = "F8_E5M2",
        ["int64"] = "I64",
        ["int32"] = "I32",
        ["int16"] = "I16",
        ["int8"] = "I8",
        ["uint64"] = "U64",
        ["uint32"] = "U32",
        ["uint16"] = "U16",
        ["uint8"] = "U8",
        ["bool"] = "BOOL",
    };

    /// <summary>Modules that reach the system or run code: no file of tensors names them, not even beside tensors.</summary>
    private static readonly HashSet<string> Dangerous = new(StringComparer.Ordinal)
    {
        "os", "posix", "nt", "ntpath", "posixpath", "subprocess", "sys", "shutil", "socket", "pty", "signal", "importlib", "runpy", "imp", "pkgutil", "pydoc", "ctypes", "cffi",
        "code", "codeop", "pdb", "bdb", "profile", "cProfile", "timeit", "trace", "doctest", "pickle", "_pickle", "cPickle", "marshal", "shelve", "dill", "cloudpickle", "joblib", "builtins", "__builtin__",
        "operator", "_operator", "types", "inspect", "threading", "multiprocessing", "concurrent", "asyncio", "webbrowser", "urllib", "http", "requests", "httpx", "ftplib", "smtplib",
        "tempfile", "glob", "fileinput", "io", "_io", "platform", "site", "setuptools", "pip", "venv", "ensurepip", "commands", "popen2", "lib2to3", "idlelib",
    };

    /// <summary>The few builtins that are values.</summary>
    private static readonly HashSet<string> Builtins = new(StringComparer.Ordinal)
    {
        "set", "frozenset", "list", "dict", "tuple", "int", "long", "float", "complex", "bool", "str", "unicode", "bytes", "bytearray", "slice", "range", "object", "Ellipsis", "NotImplemented",
    };

    /// <summary>Functions that build values without meaning for tensors: their results are dropped.</summary>
    private static readonly HashSet<string> Harmless = new(StringComparer.Ordinal)
    {
        "torch.device", "torch._utils._get_layout", "torch.serialization._get_layout", "copyreg._reconstructor", "copy_reg._reconstructor", "datetime.datetime", "datetime.date", "datetime.timedelta", "datetime.timezone",
        "numpy.dtype", "numpy.ndarray", "numpy.core.multiarray.scalar", "numpy.core.multiarray._reconstruct", "numpy.core.numeric._frombuffer", "numpy._core.multiarray.scalar", "numpy._core.multiarray._reconstruct",
        "numpy._core.numeric._frombuffer", "collections.deque", "collections.Counter",
    };

    public static PickleGlobal Named(string module, string name, string origin)
    {
        var global = new PickleGlobal(module, name);
        var package = module.Split('.')[0];
        if (Dangerous.Contains(package) && !(package is "builtins" or "__builtin__" && Builtins.Contains(name)))
            throw Refused(global, origin);
        return global;
    }

    private const string FromType = "torch._tensor._rebuild_from_type_v2";

    /// <summary>The value of a call or of a new instance.</summary>
    public static object? Call(object? callee, object?[] arguments, bool instance, string origin)
    {
        if (callee is PickleOpaque)
            return callee;
        var global = callee as PickleGlobal ?? throw new FormatException("a call of something that is no function");
        return global.ToString() switch
        {
            "torch._utils._rebuild_tensor" or "torch._utils._rebuild_tensor_v2" => Tensor(arguments, null),
            "torch._utils._rebuild_tensor_v3" => Tensor(arguments, arguments.ElementAtOrDefault(6) as PickleGlobal),
            "torch._utils._rebuild_parameter" or "torch._utils._rebuild_parameter_with_state" => First(arguments),
            FromType when arguments is [PickleGlobal function, _, PickleTuple inner, ..] && function.ToString() != FromType => Call(function, inner.Items, instance: false, origin),
            "collections.OrderedDict" or "builtins.dict" or "__builtin__.dict" => Dictionary(arguments, 0),
            "collections.defaultdict" => Dictionary(arguments, 1),
            "torch.Size" or "builtins.tuple" or "__builtin__.tuple" => arguments.ElementAtOrDefault(0) ?? new PickleTuple([]),
            "builtins.list" or "builtins.set" or "builtins.frozenset" or "__builtin__.list" or "__builtin__.set" or "__builtin__.frozenset" => arguments.ElementAtOrDefault(0) ?? new List<object?>(),
            "_codecs.encode" => null, // bytes, as protocol 2 spells them
            var name when name.StartsWith("torch._utils._rebuild", StringComparison.Ordinal) || name.StartsWith("torch.sparse", StringComparison.Ordinal)
                => throw new BrumaException($"{origin}: it stores tensors by {name} (sparse, quantised or without values), of which only plain ones can be read; convert the file with torch and safetensors."),
            var name when instance || Harmless.Contains(name) || IsClass(global) => new PickleOpaque(global),
            _ => throw Refused(global, origin),
        };
    }

    /// <summary>The storage that a persistent id names: ("storage", class, key, device, elements, view).</summary>
    public static PickleStorage Storage(object?[] id, string origin)
    {
        if (id is not ["storage", PickleGlobal type, var key, _, long count, ..])
            throw new FormatException("a reference that is no storage");
        if (!type.Module.StartsWith("torch", StringComparison.Ordinal))
            throw Refused(type, origin);
        var element = StorageTypes.GetValueOrDefault(type.Name);
        if (element is null && type.Name != "UntypedStorage")
            throw new BrumaException($"{origin}: it stores values as {type}, a type that cannot be computed with; convert the file with torch and safetensors.");
        var name = key as string ?? (key as long?)?.ToString(System.Globalization.CultureInfo.InvariantCulture) ?? throw new FormatException("a storage without key");
        return new PickleStorage(name, element, count, id is [.., PickleTuple { Items: [_, long viewOffset, _] }] ? viewOffset : 0);
    }

    private static PickleTensor Tensor(object?[] arguments, PickleGlobal? type)
    {
        if (arguments is not [PickleStorage storage, long offset, PickleTuple shape, PickleTuple strides, ..])
            throw new FormatException("a tensor with unusual arguments");
        var element = type is null ? storage.Type : ElementTypes.GetValueOrDefault(type.Name);
        return new PickleTensor(storage, element ?? throw new FormatException($"a tensor of the unknown type {type}"), offset, Extents(shape), Extents(strides));
    }

    private static long[] Extents(PickleTuple tuple) => tuple.Items.Length > 64
        ? throw new FormatException($"a tensor of {tuple.Items.Length} dimensions")
        : [.. tuple.Items.Select(item => item as long? ?? throw new FormatException("an extent that is no integer"))];

    private static object? First(object?[] arguments) => arguments.Length > 0 ? arguments[0] : throw new FormatException("a parameter without tensor");

    private static PickleDictionary Dictionary(object?[] arguments, int at) => arguments.ElementAtOrDefault(at) switch
    {
        PickleDictionary items => items,
        List<object?> pairs => new PickleDictionary { Pairs = pairs },
        _ => new PickleDictionary(),
    };

    private static bool IsClass(PickleGlobal global) => global.Name.Split('.')[^1].TrimStart('_') is [>= 'A' and <= 'Z', ..];

    private static BrumaException Refused(PickleGlobal global, string origin) =>
        new($"{origin}: its pickle asks for {global}, which no file of tensors needs; it may be malicious, nothing of it was run: use a safetensors version from a source that you trust.");
}
