using static TorchSharp.torch;

namespace Bruma.Training;

/// <summary>Adam with decay in the gradient, and AMSGrad.</summary>
/// <remarks>Kingma and Ba 2014, arXiv:1412.6980; Reddi, Kale and Kumar 2018. The formulas of torch.optim.Adam.</remarks>
public sealed record AdamOptions(double LearningRate, double Beta1 = 0.9, double Beta2 = 0.999, double Epsilon = 1e-8, double WeightDecay = 0, bool AmsGrad = false) : OptimizerOptions(LearningRate, WeightDecay)
{
    /// <summary>Without decay and AMSGrad it is AdamW's formula, which has a pass of its own.</summary>
    public override Optimizer Create(FlatParameters parameters) => WeightDecay == 0 && !AmsGrad
        ? new AdamW(parameters, new AdamWOptions(LearningRate, Beta1, Beta2, Epsilon, 0))
        : new Adam(parameters, this);

    private sealed class Adam : PlainOptimizer
    {
        private readonly AdamOptions _options;
        private readonly Tensor _first;
        private readonly Tensor _second;
        private readonly Tensor? _largest;

        public Adam(FlatParameters parameters, AdamOptions options) : base(parameters)
        {
            (_options, _first, _second) = (options, NewState("exp_avg"), NewState("exp_avg_sq"));
            _largest = options.AmsGrad ? NewState("max_exp_avg_sq") : null;
        }

        protected override void Update(Tensor weights, Tensor gradient, ParameterRun run, long number, double rate)
        {
            if (run.WeightDecay != 0)
                gradient = gradient + weights * run.WeightDecay;
            var first = Slice(_first, run).mul_(_options.Beta1).add_(gradient, alpha: 1 - _options.Beta1);
            var second = Slice(_second, run).mul_(_options.Beta2).add_(gradient.square(), alpha: 1 - _options.Beta2);
            if (_largest is not null)
            {
                var largest = Slice(_largest, run);
                second = largest.copy_(maximum(largest, second));
            }
            var denominator = second.sqrt() / Math.Sqrt(1 - Math.Pow(_options.Beta2, number)) + _options.Epsilon;
            weights.add_(first / denominator, alpha: -rate / (1 - Math.Pow(_options.Beta1, number)));
        }
    }
}

/// <summary>Stochastic gradient descent, with momentum, dampening and Nesterov's form.</summary>
/// <remarks>The formulas of torch.optim.SGD.</remarks>
public sealed record SgdOptions(double LearningRate, double Momentum = 0, double Dampening = 0, bool Nesterov = false, double WeightDecay = 0) : OptimizerOptions(LearningRate, WeightDecay)
{
    public override Optimizer Create(FlatParameters parameters) => new Sgd(parameters, this);

    private sealed class Sgd : PlainOptimizer
    {
        private readonly SgdOptions _options;
        private readonly Tensor? _buffer;

        public Sgd(FlatParameters parameters, SgdOptions options) : base(parameters)
        {
            _options = options;
            _buffer = options.Momentum == 0 ? null : NewState("momentum_buffer");
        }

        protected override void Update(Tensor weights, Tensor gradient, ParameterRun run, long number, double rate)
        {
            if (run.WeightDecay != 0)
                gradient = gradient + weights * run.WeightDecay;
            if (_buffer is not null)
            {
                var buffer = Slice(_buffer, run);
                buffer.mul_(_options.Momentum).add_(gradient, alpha: number == 1 ? 1 : 1 - _options.Dampening);
                gradient = _options.Nesterov ? gradient + buffer * _options.Momentum : buffer;
            }
            weights.add_(gradient, alpha: -rate);
        }
    }
}

/// <summary>RMSprop, with momentum and the centred form.</summary>
/// <remarks>Tieleman and Hinton 2012; the formulas of torch.optim.RMSprop.</remarks>
public sealed record RmspropOptions(double LearningRate, double Alpha = 0.99, double Epsilon = 1e-8, double Momentum = 0, bool Centered = false, double WeightDecay = 0) : OptimizerOptions(LearningRate, WeightDecay)
{
    public override Optimizer Create(FlatParameters parameters) => new Rmsprop(parameters, this);

    private sealed class Rmsprop : PlainOptimizer
    {
        private readonly RmspropOptions _options;
        private readonly Tensor _squares;
        private readonly Tensor? _mean;
        private readonly Tensor? _buffer;

        public Rmsprop(FlatParameters parameters, RmspropOptions options) : base(parameters)
        {
            (_options, _squares) = (options, NewState("square_avg"));
            _mean = options.Centered ? NewState("grad_avg") : null;
            _buffer = options.Momentum == 0 ? null : NewState("momentum_buffer");
        }

        protected override void Update(Tensor weights, Tensor gradient, ParameterRun run, long number, double rate)
        {
            if (run.WeightDecay != 0)
                gradient = gradient + weights * run.WeightDecay;
            var squares = Slice(_squares, run).mul_(_options.Alpha).add_(gradient.square(), alpha: 1 - _options.Alpha);
            var variance = _mean is null ? squares : squares - Slice(_mean, run).mul_(_options.Alpha).add_(gradient, alpha: 1 - _options.Alpha).square();
            var change = gradient / (variance.sqrt() + _options.Epsilon);
            if (_buffer is not null)
                change = Slice(_buffer, run).mul_(_options.Momentum).add_(change);
            weights.add_(change, alpha: -rate);
        }
    }
}

/// <summary>Lion: steps of equal size in the sign of an interpolated momentum.</summary>
/// <remarks>Chen et al. 2023, arXiv:2302.06675.</remarks>
public sealed record LionOptions(double LearningRate, double Beta1 = 0.9, double Beta2 = 0.99, double WeightDecay = 0) : OptimizerOptions(LearningRate, WeightDecay)
{
    public override Optimizer Create(FlatParameters parameters) => new Lion(parameters, this);

    private sealed class Lion : PlainOptimizer
    {
        private readonly LionOptions _options;
        private readonly Tensor _momentum;

        public Lion(FlatParameters parameters, LionOptions options) : base(parameters) => (_options, _momentum) = (options, NewState("exp_avg"));

        protected override void Update(Tensor weights, Tensor gradient, ParameterRun run, long number, double rate)
        {
            var momentum = Slice(_momentum, run);
            weights.mul_(1 - rate * run.WeightDecay).add_((momentum * _options.Beta1 + gradient * (1 - _options.Beta1)).sign(), alpha: -rate);
            momentum.mul_(_options.Beta2).add_(gradient, alpha: 1 - _options.Beta2);
        }
    }
}
