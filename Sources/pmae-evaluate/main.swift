import Compute

EvaluateTool.start()
